import { Socket } from 'node:net';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { closeDescriptor, openDescriptor } from '../kernel/ffi/descriptor.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { O } from '../kernel/mounts/flags.ts';
import { closingAfter, openPipe } from '../kernel/processes/pipe.ts';
import { MayflyError } from '../support/error.ts';
import { FileError } from './file-error.ts';
import type { GrowingFile } from './growing-file.ts';
import { launchDirectly, type WorkerLauncher } from './launcher.ts';
import type { FileReport, FileRequest, WorkerMessage } from './request.ts';

export interface FileWorkOptions {
  /** The directory that becomes the worker's root: a path, or a descriptor, which stays the caller's. */
  readonly root: string | number;
  /** What the worker reads on its stdin, or a file for its fd 4, which stays the caller's. Default: nothing. */
  readonly input?: Readable | GrowingFile | undefined;
  /** A directory for its fd 4. Default: none. */
  readonly target?: string | undefined;
  /** Kills the worker; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Default: as our own child, which is right for root. */
  readonly launcher?: WorkerLauncher | undefined;
  /** Called now and then with the bytes of tar so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** Characters; the longest speak of every directory of a layer. */
const LONGEST_MESSAGE = 16 << 20;

/** A worker on its way. */
export interface FileWork {
  /** What it writes. Ends only when the work is done, and fails when the work does. */
  readonly output: Readable;
  /** @throws FileError */
  readonly done: Promise<FileReport>;
}

/** Does one piece of file work in a process of its own. @throws FileError */
export function runFileWorker(request: FileRequest, options: FileWorkOptions): Promise<FileReport> {
  return startFileWorker(request, options).done;
}

/** Starts a piece of file work whose output is wanted. */
export function startFileWorker(request: FileRequest, options: FileWorkOptions): FileWork {
  const { root, input, target, signal, launcher = launchDirectly, onProgress } = options;
  signal?.throwIfAborted();
  const [stdin, stdout, report] = [openPipe(), openPipe(), openPipe()];
  const ours = [stdin.write, stdout.read, report.read];
  const opened: number[] = [stdin.read, stdout.write, report.write];
  const worker = closingAfter(opened, () => {
    try {
      const open = (directory: string) => {
        opened.push(openDescriptor(directory, O.O_PATH | O.O_DIRECTORY));
        return opened.at(-1)!;
      };
      const fds = [stdin.read, stdout.write, report.write, typeof root === 'string' ? open(root) : root];
      if (isFile(input)) fds.push(input.fd);
      else if (target !== undefined) fds.push(open(target));
      const argv = ['mayfly-files', ...workerArguments(), JSON.stringify(request)];
      return launcher({ path: process.execPath, argv, fds: new Map(fds.entries()) });
    } catch (error) {
      for (const fd of ours) closeDescriptor(fd);
      throw error;
    }
  });
  const kill = () => worker.kill();
  signal?.addEventListener('abort', kill, { once: true });
  const fed = feed(stdin.write, isFile(input) ? input.lengths : input);
  const stream = new Socket({ fd: stdout.read, readable: true, writable: false });
  const finish = async () => {
    try {
      const outcome = await readReport(report.read, onProgress);
      await worker.ended();
      signal?.throwIfAborted();
      const broken = await fed;
      // Input that breaks off looks to the worker as if it had ended, or were truncated; why it did is known here.
      if (broken !== undefined) throw broken;
      if ('done' in outcome) return outcome.done;
      throw new FileError(outcome.failed.reason, outcome.failed.message);
    } finally {
      signal?.removeEventListener('abort', kill);
    }
  };
  const done = finish();
  // Whoever reads the output hears of it there.
  done.catch(() => {});
  return { output: Readable.from(untilDone(stream, done), { objectMode: false }), done };
}

const isFile = (input: Readable | GrowingFile | undefined): input is GrowingFile =>
  input !== undefined && 'lengths' in input;

/** From source the worker is TypeScript, from the package JavaScript. `MAYFLY_WORKER`: one that is packed already, for the tests. */
function workerArguments(): string[] {
  const packed = process.env.MAYFLY_WORKER;
  if (packed) return [packed];
  const extension = extname(import.meta.filename);
  const worker = join(import.meta.dirname, `worker${extension}`);
  return extension === '.ts' ? ['--import', import.meta.resolve('tsx'), worker] : [worker];
}

/** Resolves when everything is written, or with what is wrong with the input; that the worker stops reading is no fault. */
async function feed(fd: number, input: Readable | undefined): Promise<Error | undefined> {
  const socket = new Socket({ fd, readable: false, writable: true });
  try {
    await pipeline(input ?? Readable.from([]), socket);
    return undefined;
  } catch (error) {
    if (isErrno(error, 'EPIPE', 'ECONNRESET')) return undefined;
    return error instanceof MayflyError ? error : new FileError('refused', 'the input broke off', error);
  }
}

async function readReport(
  fd: number,
  onProgress: ((bytes: number) => void) | undefined,
): Promise<Exclude<WorkerMessage, { progress: number }>> {
  let rest = '';
  for await (const chunk of new Socket({ fd, readable: true, writable: false }).setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = tail(lines.pop()!);
    for (const line of lines) {
      const message = parseMessage(line);
      if (message === undefined) rest = `${line}\n${rest}`.slice(-4096);
      else if ('progress' in message) onProgress?.(message.progress);
      else return message;
    }
  }
  return { failed: { reason: 'failed', message: `the file worker ended without a word: ${rest.trim()}` } };
}

/** Half a message, which may be long; of what else a process says when it dies, the end. */
function tail(text: string): string {
  return text.startsWith('{') ? text.slice(0, LONGEST_MESSAGE) : text.slice(-4096);
}

function parseMessage(line: string): WorkerMessage | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as WorkerMessage) : undefined;
}

async function* untilDone(stream: Socket, done: Promise<FileReport>): AsyncGenerator<Buffer> {
  yield* stream as AsyncIterable<Buffer>;
  await done;
}
