import { posix } from 'node:path';
import { type Pattern, parsePattern } from './pattern.ts';

/** True for a path, relative to the context and with slashes, that is not part of the context. */
export type IgnoreFilter = (path: string) => boolean;

interface Rule {
  readonly matches: Pattern;
  /** `!`: what a rule before has left out is part again. */
  readonly bringsBack: boolean;
}

/**
 * What the text of a `.dockerignore` leaves out, by the rules of moby's patternmatcher: the last pattern that matches a path or a
 * directory above it decides.
 *
 * @throws MayflyError `build.bad-pattern`
 */
export function parseIgnore(text: string): IgnoreFilter {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line) => (line.startsWith('#') ? [] : parseRule(line.trim())));
  return (path) => {
    const above = parents(path);
    let ignored = false;
    for (const { matches, bringsBack } of rules) {
      if (bringsBack === ignored && (matches(path) || above.some(matches))) ignored = !bringsBack;
    }
    return ignored;
  };
}

function parseRule(line: string): Rule[] {
  const bringsBack = line.startsWith('!');
  const pattern = bringsBack ? line.slice(1).trim() : line;
  if (pattern === '') return [];
  // As Go's filepath.Clean: no slash at the end; and the context is the root of all paths.
  const clean = posix
    .normalize(pattern)
    .replace(/(?<=.)\/$/, '')
    .replace(/^\/(?=.)/, '');
  return [{ matches: parsePattern(clean, { globstar: true }), bringsBack }];
}

/** `a`, `a/b` of `a/b/c`. */
function parents(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join('/'));
}
