import type { Readable, Writable } from 'node:stream';
import { makeRaw, windowSize } from '../../kernel/terminal/own-terminal.ts';
import { deferred } from '../../support/deferred.ts';
import type { Output } from '../output.ts';
import { KeyWatch, parseKeys } from './detach-keys.ts';

export interface SessionOptions {
  readonly streams: {
    readonly stdin: Writable;
    readonly stdout: Readable;
    readonly stderr?: Readable;
    resize?(size: { columns: number; rows: number }): void;
  };
  readonly output: Output;
  /** The other side is a terminal. */
  readonly tty: boolean;
  /** What comes on our stdin is passed on. */
  readonly interactive: boolean;
  /** Keys that end the session, on a terminal; as docker writes them. */
  readonly detachKeys: string;
  /** The end of our stdin is not that of theirs. Default: false. */
  readonly keepsInputOpen?: boolean;
}

/** How it ended: the other side has, or the keys were pressed. */
export type SessionEnd = 'ended' | 'detached';

const STDIN = 0;

/**
 * Connects our streams with those of a process until it ends: raw, in the size of our window, when both sides are terminals. Ours is
 * afterwards what it was before, however it ends.
 *
 * @throws Error EPIPE when nobody reads our output any longer
 */
export async function runSession(options: SessionOptions): Promise<SessionEnd> {
  const { streams, output, tty, interactive } = options;
  const keys = new KeyWatch(parseKeys(options.detachKeys));
  const detached = deferred<SessionEnd>();
  const outputs = [show(streams.stdout, 'stdout', output)];
  if (streams.stderr !== undefined) outputs.push(show(streams.stderr, 'stderr', output));
  const restore = tty && interactive ? enterRaw() : undefined;
  const resize = () => {
    const size = windowSize(STDIN);
    if (size !== undefined) streams.resize?.(size);
  };
  if (tty) {
    resize();
    process.on('SIGWINCH', resize);
  }
  let left = false;
  const leave = () => {
    left = true;
    detached.resolve('detached');
  };
  const stop = interactive ? feed(options, restore === undefined ? undefined : keys, leave) : undefined;
  try {
    const ended = Promise.all(outputs).then((): SessionEnd => 'ended');
    return await Promise.race([ended, detached.promise]);
  } finally {
    process.off('SIGWINCH', resize);
    stop?.();
    restore?.();
    // The next prompt is not to stand where the last one was left.
    if (left) output.warn('');
  }
}

async function show(from: Readable, stream: 'stdout' | 'stderr', output: Output): Promise<void> {
  for await (const bytes of from) await output.show(stream, bytes as Buffer);
}

const FATAL = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

/** Undefined when our stdin is no terminal. A signal that ends us finds the terminal as it was. */
function enterRaw(): (() => void) | undefined {
  const restore = makeRaw(STDIN);
  if (restore === undefined) return undefined;
  // Who was stopped and goes on finds the terminal as the shell has it.
  const again = () => void makeRaw(STDIN);
  const end = (signal: NodeJS.Signals) => {
    leave();
    process.kill(process.pid, signal);
  };
  const leave = () => {
    process.off('SIGCONT', again);
    process.off('exit', restore);
    for (const signal of FATAL) process.off(signal, end);
    restore();
  };
  process.on('SIGCONT', again);
  process.on('exit', restore);
  for (const signal of FATAL) process.on(signal, end);
  return leave;
}

/** Passes on what comes on our stdin, as fast as it is taken. Result: stops it, so that the process can end. */
function feed(
  { streams: { stdin }, keepsInputOpen = false }: SessionOptions,
  keys: KeyWatch | undefined,
  detach: () => void,
): () => void {
  const source = process.stdin;
  const take = (chunk: Buffer) => {
    const { passed, found } = keys?.push(chunk) ?? { passed: chunk, found: false };
    if (passed.length > 0 && !stdin.write(passed)) source.pause();
    if (found) detach();
  };
  const goOn = () => source.resume();
  const end = () => {
    if (!keepsInputOpen) stdin.end();
  };
  source.on('data', take);
  stdin.on('drain', goOn);
  source.on('end', end);
  source.on('error', end);
  return () => {
    source.off('data', take);
    source.off('end', end);
    stdin.off('drain', goOn);
    source.pause();
    source.unref?.();
  };
}
