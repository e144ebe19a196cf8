import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { FileError, refuse } from './file-error.ts';
import { isKernelView } from './pack/walk.ts';
import type { CopyIn, FileReport } from './request.ts';
import type { TarEntry } from './tar/entry.ts';
import { TarReader } from './tar/reader.ts';
import { decompress } from './unpack/decompress.ts';
import { entryPath } from './unpack/entry-path.ts';
import { EntryWriter } from './unpack/entry-writer.ts';

/**
 * Puts what a tar holds where a request says. Directories that are missing on the way there are made.
 *
 * @throws FileError `file.not-a-directory`, `file.is-a-directory`, `file.refused`, `file.read-only`, `file.no-space`
 */
export async function copyIn(request: CopyIn, input: AsyncIterable<Buffer>): Promise<FileReport> {
  const target = request.shape === 'top' ? targetOf(request) : request.path;
  const directory = request.shape === 'top' ? dirname(target) : target;
  const reader = new TarReader(decompress(input));
  // Before anything is made, because a source that is not there sends nothing.
  let entry = await reader.next();
  const made = enter(directory);
  const { owner, mode, trusted, manner } = request;
  if (manner === 'COPY' && made !== undefined) ownWay({ made, directory, request, top: entry });
  const writer = new EntryWriter({
    base: request.shape === 'top' ? `./${Buffer.from(basename(target)).toString('latin1')}` : '.',
    followLinks: trusted,
    privileges: trusted,
    ...(owner === undefined ? {} : { owner }),
    ...(mode === undefined ? {} : { mode, modeOfAll: manner === 'COPY' }),
  });
  for (; entry !== undefined; entry = await reader.next()) await writer.write(entry, reader.content());
  writer.finish();
  return { size: writer.size };
}

/** As `docker cp` has it: a directory that is there takes the source in under its own name; any other path becomes it. */
function targetOf({ path, name }: CopyIn): string {
  const present = statSync(path, { throwIfNoEntry: false });
  if (!present?.isDirectory() && !path.endsWith('/')) return path;
  if (name !== undefined) return `${path.replace(/\/+$/, '')}/${name}`;
  throw new FileError(
    'is-a-directory',
    `${path} is a directory, and the content has no name to go there under`,
  );
}

/** By working directory, which nobody can exchange afterwards. Returns the first directory that was made on the way. */
function enter(directory: string): string | undefined {
  let nearest = directory;
  while (statSync(nearest, { throwIfNoEntry: false }) === undefined) nearest = dirname(nearest);
  if (!statSync(nearest).isDirectory()) throw new FileError('not-a-directory', `${nearest} is no directory`);
  // Before as well, because Node tries for ever to make a directory where the kernel says that there is none (procfs).
  refuseKernelView(nearest);
  const made = mkdirSync(directory, { recursive: true, mode: 0o755 });
  process.chdir(directory);
  refuseKernelView('.');
  return made;
}

interface Way {
  /** The first directory that was made. */
  readonly made: string;
  /** The last one, which is the working directory. */
  readonly directory: string;
  readonly request: CopyIn;
  readonly top: TarEntry | undefined;
}

/** Nobody else is in this tree: between two steps of a build it is ours alone. */
function ownWay({ made, directory, request: { owner, mode, shape }, top }: Way): void {
  const way = relative(made, directory).split('/').filter(Boolean);
  for (let depth = 0; owner !== undefined && depth <= way.length; depth++)
    chownSync(join(made, ...way.slice(0, depth)), owner.uid, owner.gid);
  if (shape !== 'contents' || top?.type !== 'directory' || entryPath(top.name) !== '.') return;
  if (owner === undefined) chownSync('.', top.uid, top.gid);
  chmodSync('.', mode ?? top.mode);
}

function refuseKernelView(path: string): void {
  if (isKernelView(path)) throw refuse(`${path} is no place for files but a view of the kernel`);
}
