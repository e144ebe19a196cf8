import { spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { FileError } from '../file-error.ts';
import { count, limited, sniff } from './decompress.ts';

/** What Node cannot read and a program of the host can. xz takes no more memory than what its highest level needs. */
const PROGRAMS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  xz: ['xz', '-dc', '--memlimit-decompress=128MiB'],
  bzip2: ['bzip2', '-dc'],
};
/** Nobody's, as in every distribution: what reads hostile input has no rights. */
const NOBODY = 65534;

/**
 * The plain bytes of a stream that is compressed with xz or bzip2; every other stream as it is, for {@link decompress} to take it
 * from there. The programs of these names do it, which there are on every Debian.
 *
 * @throws FileError `file.unsupported-compression` without the program; `file.refused` for a stream that is damaged, truncated or
 * a bomb
 */
export async function* decompressByProgram(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const counted = { bytes: 0 };
  const { compression = '', whole } = await sniff(count(input, counted));
  const command = PROGRAMS[compression];
  if (command === undefined) return yield* whole;
  yield* limited(piped(whole, command), { compression, counted });
}

async function* piped(
  input: AsyncIterable<Buffer>,
  [program, ...args]: readonly [string, ...string[]],
): AsyncGenerator<Buffer> {
  const rights = process.geteuid!() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn(program, args, { ...rights, stdio: ['pipe', 'pipe', 'ignore'], cwd: '/' });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  ended.catch(() => {});
  const stop = new AbortController();
  const fed = feed(input, child.stdin, stop.signal);
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    if ((await ended) !== 0) throw new FileError('refused', `the ${program} stream is damaged or truncated`);
    const broken = await fed;
    if (broken !== undefined) throw broken;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new FileError(
      'unsupported-compression',
      `what ${program} has compressed takes the program ${program}`,
    );
  } finally {
    stop.abort();
    child.kill('SIGKILL');
    await ended.catch(() => {});
  }
}

/** Resolves when all is written, or with what is wrong with the input; that the program stops reading shows in how it ends. */
async function feed(
  input: AsyncIterable<Buffer>,
  to: Writable,
  signal: AbortSignal,
): Promise<Error | undefined> {
  try {
    await pipeline(Readable.from(input, { objectMode: false }), to, { signal });
    return undefined;
  } catch (error) {
    if (isErrno(error, 'EPIPE', 'ECONNRESET', 'ENOENT', 'ERR_STREAM_PREMATURE_CLOSE')) return undefined;
    return error as Error;
  }
}
