import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Replaces the file by a rename, so that a reader sees all of it or what was there before. Mode 0600. */
export function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What the file holds; undefined when there is none. @throws SyntaxError when it is no JSON */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text);
}
