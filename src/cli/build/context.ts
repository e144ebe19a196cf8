import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { UsageError } from '../usage-error.ts';

/** The directories of a build as the library takes them. */
export interface BuildPaths extends Disposable {
  readonly context: string;
  /** Absolute; undefined for the one in the context. */
  readonly dockerfile: string | undefined;
}

/** Where a tar has its magic. */
const TAR_MAGIC = 257;

/**
 * What `PATH` and `--file` mean: both are relative to where we are, and `-` is stdin. `PATH` as `-` is a Dockerfile without a context.
 *
 * @throws UsageError
 */
export async function findContext(path: string, file: string | undefined): Promise<BuildPaths> {
  if (/^[a-z+]+:\/\/|^git@/i.test(path))
    throw new UsageError(`not a directory: ${path}`, 'get the files first: a context lies on this machine');
  if (path === '-' && file !== undefined)
    throw new UsageError('a Dockerfile on stdin goes with no --file', 'leave it out');
  if (path !== '-' && file !== '-') {
    const dockerfile = file === undefined ? undefined : resolve(file);
    return { context: resolve(path), dockerfile, [Symbol.dispose]: () => {} };
  }
  const content = await text(process.stdin);
  if (content.startsWith('ustar', TAR_MAGIC))
    throw new UsageError('a tar on stdin is no context', 'unpack it, and give the directory');
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-stdin-'));
  const [dockerfile, empty] = [join(directory, 'Dockerfile'), join(directory, 'context')];
  writeFileSync(dockerfile, content);
  mkdirSync(empty);
  return {
    context: path === '-' ? empty : resolve(path),
    dockerfile,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
