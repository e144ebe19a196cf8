import type { Readable } from 'node:stream';
import type { ExecProcess } from '../../runtime/launch/start-exec.ts';
import { type Duration, parseDuration } from '../../support/duration.ts';
import { MayflyError } from '../../support/error.ts';
import { feedInput } from './input.ts';
import { collectOutput, type Output } from './output.ts';
import type { ExecIdentity } from './start.ts';

export interface ExecOptions extends ExecIdentity {
  /** What the command reads; default: nothing, end of file at once. */
  readonly stdin?: string | Uint8Array | Readable;
  /** After this the command is killed and `exec.timeout` is thrown. Default: no limit. */
  readonly timeout?: Duration;
  /** Kills the command; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Bytes kept of each stream; what comes after is read and dropped, and `truncated` is set. Default: 16 MiB. */
  readonly maxOutput?: number;
}

export interface ExecResult {
  /** A code other than 0 is a result, not an error. 128 + N when signal N ended the command. */
  readonly exitCode: number;
  /** UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
  /** True when either stream was longer than `maxOutput`. */
  readonly truncated: boolean;
}

const SIGKILL = 9;
const DEFAULT_MAX_OUTPUT = 16 << 20;

/**
 * Sees a started exec through: feeds it, collects its output, ends it on time.
 *
 * @throws MayflyError `exec.timeout`; CommandError; the signal's reason.
 */
export async function runExec(
  { shim, stdin, stdout, stderr }: ExecProcess,
  options: ExecOptions & { /** Does not keep the event loop alive. Default: false. */ background?: boolean },
): Promise<ExecResult> {
  const { signal, timeout, maxOutput = DEFAULT_MAX_OUTPUT, background = false } = options;
  const outputs = [collectOutput(stdout, maxOutput), collectOutput(stderr, maxOutput)] as const;
  const input = feedInput(stdin, options.stdin);
  const kill = () => shim.signal(SIGKILL);
  let timedOut = false;
  const limit = timeout === undefined ? undefined : parseDuration(timeout);
  const timer = setTimeout(
    () => {
      timedOut = true;
      kill();
    },
    limit ?? 2 ** 31 - 1,
  );
  if (background) for (const handle of [shim, input, timer, ...outputs]) handle.unref();
  signal?.addEventListener('abort', kill, { once: true });
  try {
    await shim.started;
    // Aborted before it had started: the signal went nowhere.
    if (signal?.aborted) kill();
    const { exitCode } = await shim.exited;
    const [out, err] = await Promise.all(outputs.map((output) => output.finish()));
    signal?.throwIfAborted();
    if (timedOut) throw timeoutError(limit!, { out: out!, err: err! });
    return { exitCode, stdout: out!.text, stderr: err!.text, truncated: out!.truncated || err!.truncated };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
    input.destroy();
    for (const output of outputs) output.destroy();
  }
}

function timeoutError(limit: number, { out, err }: { out: Output; err: Output }): MayflyError {
  const said = (err.text || out.text).trim().split('\n').slice(-5).join('\n    ');
  return new MayflyError(
    'exec.timeout',
    `the command was killed after ${limit} ms${said && `\n  it said last:\n    ${said}`}`,
    {
      hint: 'give it more time with { timeout }',
    },
  );
}
