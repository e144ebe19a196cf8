import { MayflyError } from '../../support/error.ts';

type Token =
  | { readonly kind: 'one'; readonly matches: (character: string) => boolean }
  /** `*`: any number of characters of a name. */
  | { readonly kind: 'star' }
  /** `**` at the end: anything. */
  | { readonly kind: 'all' }
  /** `**` elsewhere is these two: whole directories, or none. */
  | { readonly kind: 'optional' }
  | { readonly kind: 'directories' };

/** A pattern that is read once and tried on many paths. */
export type Pattern = (path: string) => boolean;

/**
 * Patterns of Go's filepath.Match: `*` and `?` stop at slashes, `[a-z]`, `[^a-z]`, and a backslash takes the meaning away. With
 * `globstar`, `**` is any number of directories (moby patternmatcher).
 *
 * All possibilities are followed at once, so that no pattern takes longer than its length times that of the path.
 *
 * @throws MayflyError `build.bad-pattern`
 */
export function parsePattern(text: string, { globstar }: { globstar: boolean }): Pattern {
  const tokens = new PatternReader(text, globstar).read();
  return (path) => {
    let states = new Set<number>();
    enter(states, { state: 0, tokens });
    for (const character of path) {
      const next = new Set<number>();
      for (const state of states) step(next, { state, tokens, character });
      states = next;
    }
    return states.has(tokens.length);
  };
}

/** Whether anything in a name means more than itself. */
export const isPattern = (text: string): boolean => /[*?[\\]/.test(text);

interface Position {
  readonly state: number;
  readonly tokens: readonly Token[];
}

/** What a state can go on to without a character counts as well. */
function enter(states: Set<number>, { state, tokens }: Position): void {
  if (states.has(state)) return;
  states.add(state);
  const kind = tokens[state]?.kind;
  if (kind === 'star' || kind === 'all') enter(states, { state: state + 1, tokens });
  if (kind !== 'optional') return;
  enter(states, { state: state + 1, tokens });
  enter(states, { state: state + 2, tokens });
}

function step(next: Set<number>, { state, tokens, character }: Position & { character: string }): void {
  const token = tokens[state];
  if (token === undefined) return;
  if (token.kind === 'one' && token.matches(character)) enter(next, { state: state + 1, tokens });
  if (token.kind === 'all' || (token.kind === 'star' && character !== '/')) enter(next, { state, tokens });
  if (token.kind !== 'directories') return;
  enter(next, { state, tokens });
  if (character === '/') enter(next, { state: state + 1, tokens });
}

class PatternReader {
  #at = 0;
  readonly #characters: readonly string[];
  readonly #globstar: boolean;

  constructor(text: string, globstar: boolean) {
    this.#characters = [...text];
    this.#globstar = globstar;
  }

  read(): Token[] {
    const tokens: Token[] = [];
    while (this.#at < this.#characters.length) tokens.push(...this.#token(this.#next()));
    return tokens;
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw this.#bad();
    this.#at += 1;
    return character;
  }

  #bad(): MayflyError {
    const text = this.#characters.join('');
    return new MayflyError('build.bad-pattern', `not a pattern: ${JSON.stringify(text)}`, {
      hint: 'close each [ with a ], put something behind a backslash, and a backslash before what is to mean itself',
    });
  }

  #token(character: string): readonly Token[] {
    if (character === '?') return [{ kind: 'one', matches: (other) => other !== '/' }];
    if (character === '[') return [{ kind: 'one', matches: this.#class() }];
    if (character === '*') return this.#star();
    const literal = character === '\\' ? this.#next() : character;
    return [{ kind: 'one', matches: (other) => other === literal }];
  }

  #star(): readonly Token[] {
    if (!this.#globstar || this.#characters[this.#at] !== '*') return [{ kind: 'star' }];
    this.#at += 1;
    if (this.#characters[this.#at] === '/') this.#at += 1;
    if (this.#at >= this.#characters.length) return [{ kind: 'all' }];
    return [{ kind: 'optional' }, { kind: 'directories' }];
  }

  #class(): (character: string) => boolean {
    const negated = this.#characters[this.#at] === '^';
    if (negated) this.#at += 1;
    const ranges: [string, string][] = [];
    while (ranges.length === 0 || this.#characters[this.#at] !== ']') {
      const from = this.#literal();
      if (this.#characters[this.#at] !== '-') ranges.push([from, from]);
      else {
        this.#at += 1;
        ranges.push([from, this.#literal()]);
      }
    }
    this.#at += 1;
    return (character) =>
      character !== '/' && ranges.some(([from, to]) => from <= character && character <= to) !== negated;
  }

  #literal(): string {
    const character = this.#next();
    if (character === '-' || character === ']') throw this.#bad();
    return character === '\\' ? this.#next() : character;
  }
}
