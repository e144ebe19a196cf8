import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { WorkerLauncher } from '../files/launcher.ts';
import { startFileWorker } from '../files/run-worker.ts';
import { END_OF_ARCHIVE, encodeHeader, padding } from '../files/tar/encode.ts';
import type { CopyStep } from '../images/dockerfile/copy-step.ts';
import { DockerfileError, type Place } from '../images/dockerfile/dockerfile-error.ts';
import { parseIgnore } from '../images/dockerfile/ignore.ts';
import { isPattern, parsePattern } from '../images/dockerfile/pattern.ts';
import { listInRoot, statInRoot } from '../kernel/mounts/stat-in-root.ts';
import { isArchive, openArchive } from './archive.ts';
import type { ContextEntry, ContextIndex, MatchedEntry } from './context-index.ts';
import { digestEntries, packEntries, placeBelow } from './context-tar.ts';

/** One source of a COPY or ADD: what it is for the cache, and the tar that brings it. */
export interface CopyPart {
  readonly key: unknown;
  /** `top`: one file or link, which becomes the destination or goes into it under `name`. `contents`: goes below it. */
  readonly shape: 'top' | 'contents';
  readonly name: string | undefined;
  open(): Readable;
}

/** Files that stand in the Dockerfile itself. */
export function inlineParts({ inline }: CopyStep): CopyPart[] {
  return inline.map(({ name, content }) => filePart({ name, bytes: Buffer.from(content), mode: 0o644 }));
}

/** A file of which all is known. */
export function filePart({ name, bytes, mode }: { name: string; bytes: Buffer; mode: number }): CopyPart {
  const header = encodeHeader({ type: 'file', name: '.', mode, size: bytes.length });
  return {
    key: ['file', name, mode, bytes.toString('base64')],
    shape: 'top',
    name,
    open: () => Readable.from([header, bytes, padding(bytes.length), END_OF_ARCHIVE]),
  };
}

/**
 * What the sources of a step name in the context.
 *
 * @throws DockerfileError `build.no-such-source`
 */
export async function contextParts(
  index: ContextIndex,
  { step, place }: { step: CopyStep; place: Place },
): Promise<CopyPart[]> {
  const parts: CopyPart[] = [];
  for (const source of step.sources) {
    const found = index.match(source);
    if (found.length === 0) {
      throw new DockerfileError('build.no-such-source', `${source} is not in the context`, {
        place,
        hint: 'sources are relative to the context, and .dockerignore may leave them out',
      });
    }
    for (const matched of found) parts.push(await entryPart(index, { ...matched, step }));
  }
  return parts;
}

async function entryPart(
  index: ContextIndex,
  { name: source, entry, step }: MatchedEntry & { step: CopyStep },
): Promise<CopyPart> {
  const file = () => index.open(entry);
  if (step.add && entry.stat.isFile() && (await isArchive(file))) {
    const digest = await digestEntries(index, [{ name: '', entry }]);
    return {
      key: ['archive', digest],
      shape: 'contents',
      name: undefined,
      open: () => Readable.from(openArchive(file), { objectMode: false }),
    };
  }
  const directory = entry.stat.isDirectory();
  // With --parents a source keeps the directories that it lies in.
  const name = step.parents ? entry.path : directory ? undefined : '.';
  const excluded = parseIgnore(step.exclude.join('\n'));
  // Patterns are about what is in the source; a file that is one itself goes by its name.
  const inside = ({ path: own }: ContextEntry) =>
    directory ? posix.relative(entry.path, own) : posix.basename(own);
  const placed = placeBelow(index, entry, { name }).filter(
    (each) => inside(each.entry) === '' || !excluded(inside(each.entry)),
  );
  return {
    key: ['entries', await digestEntries(index, placed), directory || step.parents ? null : source],
    shape: directory || step.parents ? 'contents' : 'top',
    name: source,
    open: () => Readable.from(packEntries(index, placed), { objectMode: false }),
  };
}

/** A tree of another stage or image that is open as `root`; `identity` says what that tree is. */
export interface SourceRoot {
  readonly root: number;
  readonly identity: unknown;
}

/** How the files of a tree are read. */
export interface WorkOptions {
  readonly signal: AbortSignal | undefined;
  readonly launcher: WorkerLauncher;
}

/** Paths of a step's sources in another tree. @throws DockerfileError `build.no-such-source` */
export function rootParts(
  source: SourceRoot,
  { step, place, ...work }: { step: CopyStep; place: Place } & WorkOptions,
): CopyPart[] {
  return step.sources.flatMap((pattern) => {
    const parts = globInRoot(source.root, pattern).flatMap(
      (path) => rootPart(source, { path, ...work }) ?? [],
    );
    if (parts.length > 0) return parts;
    throw new DockerfileError('build.no-such-source', `${pattern} is not in ${step.from}`, { place });
  });
}

/** One path of the tree; undefined when there is no such path. */
export function rootPart(
  { root, identity }: SourceRoot,
  { path, ...work }: { path: string } & WorkOptions,
): CopyPart | undefined {
  const stat = statInRoot(root, path);
  if (stat === undefined) return undefined;
  const directory = stat.isDirectory();
  return {
    key: ['root', identity, path],
    shape: directory ? 'contents' : 'top',
    name: posix.basename(path),
    // A link at the end is followed, as Docker does: to a directory by the slash.
    open: () =>
      startFileWorker(
        {
          operation: 'copy-out',
          path: directory ? posix.join(path, '/') : path,
          name: '.',
          onlyFile: stat.isFile(),
        },
        { root, ...work },
      ).output,
  };
}

/** The paths that a pattern names, absolute. */
function globInRoot(root: number, pattern: string): string[] {
  return posix
    .join('/', pattern)
    .split('/')
    .filter(Boolean)
    .reduce(
      (found, part) =>
        found.flatMap((directory) =>
          namesFor(root, { directory, part }).map((name) => posix.join(directory, name)),
        ),
      ['/'],
    );
}

function namesFor(root: number, { directory, part }: { directory: string; part: string }): string[] {
  if (!isPattern(part)) return [part];
  return listInRoot(root, directory).filter(parsePattern(part, { globstar: false }));
}
