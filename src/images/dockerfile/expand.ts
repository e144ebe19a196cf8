/** What an expansion needs to know. */
export interface Scope {
  /** Undefined for a variable that is not set. */
  readonly lookup: (name: string) => string | undefined;
  /** `\` or a backtick. */
  readonly escape: string;
}

/** A variable that has to be set and is not: `${NAME:?message}`. */
export class MissingVariable extends Error {}

/** Words that mean nothing: they end within quotes, say. */
export class SyntaxFault extends Error {}

/**
 * Expands variables and takes quotes away, as the Dockerfile reference has it ("Environment replacement"): `$NAME`, `${NAME}`, with the
 * modifiers `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`.
 */
export function expandWord(text: string, scope: Scope): string {
  return new Expansion(text, scope).run();
}

/** Expands variables and leaves quotes as they are: the body of a here-document. */
export function expandText(text: string, scope: Scope): string {
  return new Expansion(text, scope, { quotes: false }).run();
}

class Expansion {
  #at = 0;
  readonly #text: string;
  readonly #scope: Scope;
  readonly #quotes: boolean;

  constructor(text: string, scope: Scope, { quotes = true } = {}) {
    this.#text = text;
    this.#scope = scope;
    this.#quotes = quotes;
  }

  run(): string {
    return this.#until(() => this.#at >= this.#text.length);
  }

  #until(ended: () => boolean): string {
    let result = '';
    while (!ended()) {
      if (this.#at >= this.#text.length) throw new SyntaxFault('unexpected end of the word');
      const character = this.#text[this.#at]!;
      if (this.#quotes && character === "'") result += this.#single();
      else if (this.#quotes && character === '"') result += this.#double();
      else if (character === this.#scope.escape) result += this.#escaped();
      else if (character === '$') result += this.#variable();
      else {
        result += character;
        this.#at += 1;
      }
    }
    return result;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new SyntaxFault('a quotation mark is missing');
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return inside;
  }

  /** Within double quotes the escape character is itself, unless something that it could escape follows. */
  #double(): string {
    this.#at += 1;
    let result = '';
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length) throw new SyntaxFault('a quotation mark is missing');
      const [character, next] = [this.#text[this.#at]!, this.#text[this.#at + 1]];
      if (character === '$') result += this.#variable();
      else if (
        character === this.#scope.escape &&
        (next === '"' || next === '$' || next === this.#scope.escape)
      ) {
        result += this.#escaped();
      } else {
        result += character;
        this.#at += 1;
      }
    }
    this.#at += 1;
    return result;
  }

  #escaped(): string {
    const next = this.#text[this.#at + 1] ?? '';
    this.#at += 2;
    return this.#quotes || next === '$' ? next : this.#scope.escape + next;
  }

  #variable(): string {
    const rest = this.#text.slice(this.#at + 1);
    const plain = /^([A-Za-z_]\w*|\d)/.exec(rest);
    if (plain !== null) {
      this.#at += 1 + plain[0].length;
      return this.#scope.lookup(plain[0]) ?? '';
    }
    const braced = /^\{([A-Za-z_]\w*|\d)/.exec(rest);
    if (braced === null) {
      this.#at += 1;
      return '$';
    }
    this.#at += 1 + braced[0].length;
    const value = this.#modified(braced[1]!);
    this.#at += 1;
    return value;
  }

  /** What stands between a name and the closing brace. */
  #modified(name: string): string {
    const value = this.#scope.lookup(name);
    const operator = /^(:[-+?]|[-+?]|##?|%%?|\/\/?)?/.exec(this.#text.slice(this.#at))![0];
    this.#at += operator.length;
    const end = (...marks: string[]) => this.#until(() => marks.includes(this.#text[this.#at] ?? ''));
    if (operator.startsWith('/')) {
      const pattern = end('/', '}');
      let replacement = '';
      if (this.#text[this.#at] === '/') {
        this.#at += 1;
        replacement = end('}');
      }
      return replace(value ?? '', { pattern, replacement, all: operator === '//' });
    }
    const word = end('}');
    if (operator === '') {
      if (word !== '') throw new SyntaxFault(`unsupported modifier in \${${name}${word}}`);
      return value ?? '';
    }
    if (/^[#%]/.test(operator)) return trim(value ?? '', { operator, pattern: word });
    const set = operator.startsWith(':') ? (value ?? '') !== '' : value !== undefined;
    if (operator.endsWith('+')) return set ? word : '';
    if (set) return value!;
    if (operator.endsWith('?')) throw new MissingVariable(`${name}: ${word || 'is not set'}`);
    return word;
  }
}

/** A shell pattern of `*` and `?` as the inside of a regular expression. */
function patternSource(pattern: string, { lazy = false } = {}): string {
  const wildcards: Readonly<Record<string, string>> = { '*': lazy ? '.*?' : '.*', '?': '.' };
  return pattern.replace(/[.+^${}()|[\]\\*?]/g, (character) => wildcards[character] ?? `\\${character}`);
}

function trim(value: string, { operator, pattern }: { operator: string; pattern: string }): string {
  const longest = operator.length === 2;
  const source = patternSource(pattern, { lazy: !longest });
  if (operator.startsWith('#')) return value.replace(new RegExp(`^(?:${source})`, 's'), '');
  // From the end, the shortest match begins last.
  const starts = Array.from({ length: value.length + 1 }, (_, i) => (longest ? i : value.length - i));
  const whole = new RegExp(`^(?:${patternSource(pattern)})$`, 's');
  const start = starts.find((at) => whole.test(value.slice(at)));
  return start === undefined ? value : value.slice(0, start);
}

function replace(
  value: string,
  { pattern, replacement, all }: { pattern: string; replacement: string; all: boolean },
): string {
  if (pattern === '') return value;
  return value.replace(new RegExp(patternSource(pattern), all ? 'gs' : 's'), () => replacement);
}
