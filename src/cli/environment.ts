import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.ts';

/**
 * Variables as docker takes them: `NAME=value`, or `NAME` alone for the value that it has here, left out where it has none.
 *
 * @throws UsageError
 */
export function parseEnvironment(given: readonly string[], own: NodeJS.ProcessEnv): Record<string, string> {
  const entries = given.flatMap((text): [string, string][] => {
    const at = text.indexOf('=');
    if (at === 0) throw new UsageError(`a variable without a name: ${text}`, 'write NAME=value');
    if (at > 0) return [[text.slice(0, at), text.slice(at + 1)]];
    const value = own[text];
    return value === undefined ? [] : [[text, value]];
  });
  return Object.fromEntries(entries);
}

/** The variables of `--env-file`s, and those of `--env`, which count more. @throws UsageError */
export function readEnvironment(
  { envFile, env }: { readonly envFile: readonly string[]; readonly env: readonly string[] },
  own: NodeJS.ProcessEnv,
): Record<string, string> {
  return parseEnvironment([...envFile.flatMap(readList), ...env], own);
}

/** A file with one entry a line; empty lines and those that begin with `#` are none (docker/cli opts/file.go). @throws UsageError */
export function readList(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`, 'give the path of a file');
  }
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Labels: `name=value`, or `name` alone for an empty one. */
export function parseLabels(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
