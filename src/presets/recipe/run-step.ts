import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from '../../containers/container.ts';
import { MayflyError } from '../../support/error.ts';
import type { Progress } from '../../support/progress.ts';
import { parseAptStatus } from './apt-status.ts';

const APT_ENV = { DEBIAN_FRONTEND: 'noninteractive', DEBCONF_NONINTERACTIVE_SEEN: 'true' };
/** What it has said last is part of the error. */
const MOST_LINES = 20;
/** How long what a command that has ended has left behind may keep its output open. */
const LINGER = 100;

export interface RecipeStep {
  readonly title: string;
  /** For a shell, which stops at the first command that fails. */
  readonly script: string;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** Runs a script in the container that becomes an image, and shows how far it has come. @throws MayflyError `recipe.step-failed` */
export async function runStep(
  container: Container,
  { title, script, progress, signal }: RecipeStep,
): Promise<void> {
  const step = progress.step(title);
  // Errors last, whichever of both streams is read first.
  const said: readonly [string[], string[]] = [[], []];
  const hear = (lines: string[]) => (line: string) => {
    const status = parseAptStatus(line);
    if (status !== undefined) return step.update(status);
    if (line.trim() === '') return;
    lines.push(line);
    if (lines.length > MOST_LINES) lines.shift();
    step.update({ note: line.trim() });
  };
  try {
    await using stream = await container.execStream(['sh', '-e', '-c', script], {
      env: APT_ENV,
      stdin: '',
      ...(signal ? { signal } : {}),
    });
    const read = Promise.all([
      eachLine(stream.stdout, hear(said[0])),
      eachLine(stream.stderr, hear(said[1])),
    ]);
    const { exitCode } = await stream.exited;
    await Promise.race([read, delay(LINGER, undefined, { ref: false })]);
    signal?.throwIfAborted();
    if (exitCode !== 0) throw stepFailed(title, { exitCode, said: said.flat().slice(-MOST_LINES) });
    step.done();
  } catch (error) {
    step.failed();
    throw error;
  }
}

/** Resolves at the end of the stream. */
function eachLine(input: Readable, hear: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    createInterface({ input }).on('line', hear).on('close', resolve);
  });
}

function stepFailed(
  title: string,
  { exitCode, said }: { exitCode: number; said: readonly string[] },
): MayflyError {
  return new MayflyError(
    'recipe.step-failed',
    `${title} exited with code ${exitCode}\n    ${said.join('\n    ')}`,
    {
      hint: 'is the Debian mirror of the host reachable? containers have their way out through the host',
    },
  );
}
