/** One way to log in that a server offers in `WWW-Authenticate`. */
export interface Challenge {
  /** In small letters: `bearer`, `basic`. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/**
 * Reads the header as RFC 9110 (11.6.1) has it; several headers and several challenges in one are the same thing.
 *
 * What is malformed ends the list, without an error: a server that offers nothing readable offers nothing.
 */
export function parseChallenges(headers: string | readonly string[] | undefined): Challenge[] {
  return [headers ?? []].flat().flatMap((header) => [...challengesOf(header)]);
}

function* challengesOf(header: string): Iterable<Challenge> {
  let position = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    const match = pattern.exec(header);
    if (match === null) return undefined;
    position = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  const skip = () => take(/[\s,]*/y);
  skip();
  for (let scheme = take(TOKEN); scheme !== undefined; scheme = take(TOKEN)) {
    const parameters = new Map<string, string>();
    for (;;) {
      skip();
      const start = position;
      const name = take(TOKEN);
      const value = name !== undefined && take(/\s*=\s*/y) !== undefined ? takeValue(take) : undefined;
      if (name === undefined || value === undefined) {
        // Not `name=value`, so it is the next scheme.
        position = start;
        break;
      }
      parameters.set(name.toLowerCase(), value);
    }
    yield { scheme: scheme.toLowerCase(), parameters };
  }
}

function takeValue(take: (pattern: RegExp) => string | undefined): string | undefined {
  return take(QUOTED)?.replace(/\\(.)/g, '$1') ?? take(TOKEN);
}
