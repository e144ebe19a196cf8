import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { execa } from 'execa';
import { MayflyError } from '../../support/error.ts';
import { refused } from './layer-error.ts';
import type { LayerTaskOptions } from './layer-store.ts';

const MAGIC = { gzip: Buffer.from([0x1f, 0x8b]), zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) };

/** What the worker prints when it has unpacked everything. */
export interface UnpackReport {
  readonly size: number;
}

/** What the worker prints when it has not. */
export interface UnpackFailure {
  readonly error: { readonly code: string; readonly message: string };
}

/**
 * Unpacks a tar into a directory that it makes, in a process of its own that is chrooted there.
 *
 * @throws MayflyError `layer.refused`, `layer.unsupported-compression`, `layer.no-space`
 */
export async function unpackTar(
  tar: Readable,
  directory: string,
  { signal, onProgress }: LayerTaskOptions,
): Promise<{ diffId: string; size: number }> {
  mkdirSync(directory, { mode: 0o755 });
  const plain = await decompress(tar);
  const hash = createHash('sha256');
  let bytes = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onProgress?.(bytes);
      done(null, chunk);
    },
  });
  const worker = execa(process.execPath, workerArguments(directory), {
    env: { PATH: process.env.PATH ?? '' },
    extendEnv: false,
    reject: false,
    stdin: 'pipe',
    ...(signal ? { cancelSignal: signal } : {}),
  });
  // The worker may give up early; its own words about why are better than a broken pipe.
  const fed = pipeline(plain, tap, worker.stdin!, signal ? { signal } : {}).catch((error: unknown) => error);
  const result = await worker;
  const feedError = await fed;
  signal?.throwIfAborted();
  const report = parseReport(result.stdout) ?? failureOf(result.stderr, result.exitCode);
  if ('error' in report) throw workerError(report, feedError);
  if (feedError !== undefined) throw refused('the archive could not be read to its end', feedError);
  return { diffId: `sha256:${hash.digest('hex')}`, size: report.size };
}

/** From source the worker is TypeScript, from the package JavaScript. */
function workerArguments(directory: string): string[] {
  const extension = extname(import.meta.filename);
  const worker = join(import.meta.dirname, `unpack-worker${extension}`);
  return extension === '.ts'
    ? ['--import', import.meta.resolve('tsx'), worker, directory]
    : [worker, directory];
}

/** By its first bytes, whatever its name says. */
async function decompress(tar: Readable): Promise<Readable> {
  const head = await new Promise<Buffer>((resolve, reject) => {
    const read = () => {
      const chunk = tar.read() as Buffer | string | null;
      if (chunk === null && !tar.readableEnded) return;
      settle();
      if (chunk === null) return resolve(Buffer.alloc(0));
      const bytes = Buffer.from(chunk as Buffer);
      tar.unshift(bytes);
      resolve(bytes);
    };
    const fail = (error: Error) => {
      settle();
      reject(error);
    };
    const end = () => {
      settle();
      resolve(Buffer.alloc(0));
    };
    const settle = () => tar.off('readable', read).off('error', fail).off('end', end);
    tar.on('readable', read).on('error', fail).on('end', end);
  });
  if (head.subarray(0, 4).equals(MAGIC.zstd)) {
    throw new MayflyError('layer.unsupported-compression', 'the archive is compressed with zstd', {
      hint: 'decompress it first, or use gzip',
    });
  }
  if (!head.subarray(0, 2).equals(MAGIC.gzip)) return tar.pipe(new PassThrough());
  const gunzip = createGunzip();
  tar.on('error', (error) => gunzip.destroy(error));
  return tar.pipe(gunzip);
}

function parseReport(stdout: string): UnpackReport | UnpackFailure | undefined {
  const last = stdout.trim().split('\n').at(-1);
  return last ? (JSON.parse(last) as UnpackReport | UnpackFailure) : undefined;
}

function failureOf(stderr: string, exitCode: number | undefined): UnpackFailure {
  return {
    error: { code: 'worker', message: `the worker ended with ${exitCode}: ${stderr.trim().slice(-2000)}` },
  };
}

function workerError({ error }: UnpackFailure, feedError: unknown): Error {
  const cause = new Error(error.message, { cause: feedError });
  return error.code === 'refused' || error.code === 'worker' ? refused(error.message, cause) : cause;
}
