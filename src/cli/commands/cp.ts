import { lstatSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Container } from '../../containers/container.ts';
import { getContainer } from '../../containers/find.ts';
import { isMayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';
import { UsageError } from '../usage-error.ts';

type Options = { archive: boolean; followLink: boolean };

/** `CONTAINER:PATH`; undefined for a path of the host, which begins with a slash or a dot where it holds a colon. */
function inContainer(text: string): { container: string; path: string } | undefined {
  const at = text.indexOf(':');
  if (at <= 0 || /^[./]/.test(text)) return undefined;
  const path = text.slice(at + 1);
  // A path without a slash in front begins at the root, as in docker.
  return { container: text.slice(0, at), path: path.startsWith('/') ? path : `/${path}` };
}

export async function run({
  options,
  args,
}: Invocation<Options, { source: string; target: string }>): Promise<number> {
  const [source, target] = [inContainer(args.source), inContainer(args.target)];
  if ((source === undefined) === (target === undefined))
    throw new UsageError('one of both has to be CONTAINER:PATH', 'copy between containers over the host');
  if (target !== undefined) await copyIn(args.source, { ...target, options });
  else await copyOut(args.target, { ...source!, options });
  return 0;
}

interface Place {
  readonly container: string;
  readonly path: string;
  readonly options: Options;
}

async function copyOut(target: string, { container: name, path, options }: Place): Promise<void> {
  await using container = await getContainer(name);
  const copied = container.copyFrom(path);
  const { archive, followLink } = options;
  if (target !== '-') return await copied.to(target, { followLink, ...(archive ? { owner: 'keep' } : {}) });
  if (process.stdout.isTTY) throw new UsageError('a tar is not for a terminal', 'redirect it');
  await pipeline(copied.tar({ followLink }), process.stdout, { end: false });
}

async function copyIn(source: string, { container: name, path, options }: Place): Promise<void> {
  await using container = await getContainer(name);
  const isDirectory = await directoryAt(container, path);
  if (source === '-') {
    if (!isDirectory) throw new UsageError(`${path} is no directory of ${name}`, 'a tar goes into one');
    return await container.copyTo(path, { tar: process.stdin }, options.archive ? { owner: 'keep' } : {});
  }
  const ofHost = statSync(source, { throwIfNoEntry: false });
  // Docker's rules: what becomes a path that is not there needs the directory above it, and a file no slash at its end.
  const parent = posix.dirname(posix.resolve(path));
  if (!isDirectory && path.endsWith('/') && ofHost?.isDirectory() === false)
    throw new UsageError(`${path} is no directory of ${name}`, 'make it first, or take the slash away');
  if (!isDirectory && !(await directoryAt(container, parent)))
    throw new UsageError(`${parent} is no directory of ${name}`, 'make it first');
  if (!options.followLink && lstatSync(source, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new UsageError(`${source} is a link`, 'give --follow-link to copy what it leads to');
  await container.copyTo(path, source, options.archive ? { owner: 'keep' } : {});
}

/** Whether a path of a container leads to a directory: the first bytes of a tar of it say so. */
async function directoryAt(container: Container, path: string): Promise<boolean> {
  try {
    for await (const _ of container.copyFrom(posix.join(path, '/.')).tar()) return true;
    return true;
  } catch (error) {
    if (isMayflyError(error, 'copy.no-such-path') || isMayflyError(error, 'copy.not-a-directory'))
      return false;
    throw error;
  }
}
