import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { UsageError } from './usage-error.ts';

/** Asks for a line on the terminal. @throws UsageError where there is none */
export function ask(question: string): Promise<string> {
  return answer(question, process.stderr);
}

/** The same, and what is typed does not show. */
export function askSecretly(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() });
  return answer('', nowhere).finally(() => process.stderr.write('\n'));
}

async function answer(question: string, output: NodeJS.WritableStream): Promise<string> {
  if (!process.stdin.isTTY)
    throw new UsageError(
      'stdin is no terminal, so nobody can be asked',
      'give --username and --password-stdin',
    );
  // With `terminal` it is readline that echoes, to where we say.
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  // The terminal is as it was before this process ends, by the signal that the key stands for.
  lines.once('SIGINT', () => {
    lines.close();
    process.stderr.write('\n');
    process.kill(process.pid, 'SIGINT');
  });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
