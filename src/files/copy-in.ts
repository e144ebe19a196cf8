import { mkdirSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { FileError, refuse } from './file-error.ts';
import { isKernelView } from './pack/walk.ts';
import type { CopyIn, FileReport } from './request.ts';
import { TarReader } from './tar/reader.ts';
import { decompress } from './unpack/decompress.ts';
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
  enter(directory);
  const { owner, mode, trusted } = request;
  const writer = new EntryWriter({
    base: request.shape === 'top' ? `./${Buffer.from(basename(target)).toString('latin1')}` : '.',
    followLinks: trusted,
    privileges: trusted,
    ...(owner === undefined ? {} : { owner }),
    ...(mode === undefined ? {} : { mode }),
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

/** By working directory, which nobody can exchange afterwards. */
function enter(directory: string): void {
  let nearest = directory;
  while (statSync(nearest, { throwIfNoEntry: false }) === undefined) nearest = dirname(nearest);
  if (!statSync(nearest).isDirectory()) throw new FileError('not-a-directory', `${nearest} is no directory`);
  // Before as well, because Node tries for ever to make a directory where the kernel says that there is none (procfs).
  refuseKernelView(nearest);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  process.chdir(directory);
  refuseKernelView('.');
}

function refuseKernelView(path: string): void {
  if (isKernelView(path)) throw refuse(`${path} is no place for files but a view of the kernel`);
}
