import { createInterface } from 'node:readline/promises';
import type { Output } from '../output.ts';
import { UsageError } from '../usage-error.ts';

/** Asks before something is removed. @throws UsageError where there is nobody to ask */
export async function confirm(what: string, { force }: { force: boolean }): Promise<boolean> {
  if (force) return true;
  if (!process.stdin.isTTY) throw new UsageError(`${what}, and nobody is there to be asked`, 'give --force');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${what}. Go on? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** A heading and lines, when there are any, as docker has them. */
export function printRemoved(heading: string, names: readonly string[], output: Output): void {
  if (names.length === 0) return;
  output.print(`${heading}:`);
  for (const name of names) output.print(name);
  output.print();
}
