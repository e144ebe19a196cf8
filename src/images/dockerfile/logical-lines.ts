/** A line as instructions have it: continuation lines joined, comments and empty lines gone. */
export interface LogicalLine {
  readonly text: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
  /** What stands there. */
  readonly first: string;
}

const DIRECTIVE = /^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$/;

/** The value of a directive, which only counts at the very top: `# escape=`. Undefined where it is not given. */
export function directiveOf(lines: readonly string[], name: string): string | undefined {
  for (const line of lines) {
    const match = DIRECTIVE.exec(line);
    if (match === null) return undefined;
    if (match[1]!.toLowerCase() === name) return match[2];
  }
  return undefined;
}

/** Reads the lines of a Dockerfile by the rules of BuildKit's parser (frontend/dockerfile/parser/parser.go). */
export class LogicalLines {
  #at = 0;
  readonly #lines: readonly string[];
  /** The escape character at the end of a line, blanks after it; twice it is only itself. */
  readonly #continuation: RegExp;

  constructor(lines: readonly string[], mark: string) {
    this.#lines = lines;
    this.#continuation = new RegExp(`(^|[^\\${mark}])\\${mark}[ \\t]*$`);
  }

  next(): LogicalLine | undefined {
    while (this.#at < this.#lines.length && isSkipped(this.#lines[this.#at]!)) this.#at += 1;
    if (this.#at >= this.#lines.length) return undefined;
    const line = this.#at + 1;
    const first = this.#lines[this.#at]!.trim();
    let text = '';
    for (let goesOn = true; goesOn && this.#at < this.#lines.length; this.#at += 1) {
      const part = this.#lines[this.#at]!;
      // Between the parts of a line as well.
      if (isSkipped(part)) continue;
      goesOn = this.#continuation.test(part);
      text += part.replace(this.#continuation, '$1');
    }
    return { text: text.trim(), line, first };
  }

  /** The lines up to one that `ends` is true of, which is taken too; undefined, and nothing taken, when there is none. */
  until(ends: (line: string) => boolean): string[] | undefined {
    const end = this.#lines.findIndex((line, at) => at >= this.#at && ends(line));
    if (end < 0) return undefined;
    const body = this.#lines.slice(this.#at, end);
    this.#at = end + 1;
    return body;
  }
}

const isSkipped = (line: string) => /^\s*(#|$)/.test(line);
