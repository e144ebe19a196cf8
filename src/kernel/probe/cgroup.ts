import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf, type Outcome, WORKS } from './throwaway.ts';

/** Makes a cgroup in `parent`, with nothing in it, writes `settings` to it, and removes it. */
export function makeCgroup(
  parent: string,
  settings: readonly { readonly file: string; readonly value: string }[] = [],
): Outcome {
  const directory = join(parent, `mayfly-doctor-${process.pid}`);
  try {
    mkdirSync(directory);
    try {
      for (const { file, value } of settings) writeFileSync(join(directory, file), value, { flag: 'r+' });
    } finally {
      rmdirSync(directory);
    }
    return WORKS;
  } catch (error) {
    const failure = failureOf(error);
    return failure.step === 'write' ? { ...failure, step: `set limits in ${parent}` } : failure;
  }
}
