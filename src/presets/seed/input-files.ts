import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Minimatch } from 'minimatch';
import { MayflyError } from '../../support/error.ts';

/** A file that a seed depends on. */
export interface InputFile {
  /** From the directory that the pattern counts from, so that a project may lie anywhere. */
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The files that paths and patterns name, each pattern's in the order of their names. A directory stands for all files below it.
 *
 * @throws MayflyError `snapshot.seed-input-missing` for a pattern that nothing matches
 */
export function readInputFiles(patterns: readonly string[], directory: string): InputFile[] {
  return patterns.flatMap((pattern) => {
    const names = matching(pattern, directory).toSorted();
    if (names.length > 0)
      return names.map((name) => ({ name, content: readFileSync(resolve(directory, name)) }));
    throw new MayflyError('snapshot.seed-input-missing', `the seed's input ${pattern} names no file`, {
      hint: `correct the path; it counts from ${directory}`,
    });
  });
}

function matching(pattern: string, directory: string): string[] {
  const matcher = new Minimatch(pattern);
  if (!matcher.hasMagic()) return filesAt(pattern, directory);
  // What stands before the first part with a wildcard.
  const parts = pattern.split('/');
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => new Minimatch(part).hasMagic()),
  );
  return filesAt(fixed.join('/') || (pattern.startsWith('/') ? '/' : '.'), directory).filter((name) =>
    matcher.match(name),
  );
}

/** The file itself, or all below a directory; none when nothing is there. */
function filesAt(path: string, directory: string): string[] {
  const at = resolve(directory, path);
  const stats = statSync(at, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  const named = (absolute: string) => (path.startsWith('/') ? absolute : relative(directory, absolute));
  if (!stats.isDirectory()) return [named(at)];
  return readdirSync(at, { recursive: true, encoding: 'utf8' })
    .map((name) => join(at, name))
    .filter((absolute) => statSync(absolute, { throwIfNoEntry: false })?.isFile())
    .map(named);
}
