/** Where a command writes. */
export interface Output {
  /** Writes a line to stdout. */
  print(line?: string): void;
  /** Writes a line to stderr. */
  warn(line: string): void;
  /** Writes bytes as they are. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array | string): void;
  /** The same; resolves when they have been taken, so that a fast source can wait for a slow reader. @throws Error EPIPE */
  show(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
  readonly colours: Colours;
}

type Paint = (text: string) => string;

/** Plain text where stdout is no terminal, or where nobody wants colours. */
export interface Colours {
  readonly green: Paint;
  readonly yellow: Paint;
  readonly red: Paint;
  readonly bold: Paint;
}

/** The part of a stream that is needed. */
export interface TextStream {
  readonly isTTY?: boolean;
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
}

/** Colours follow https://no-color.org: on a terminal only, and not where NO_COLOR is set and not empty. */
export function openOutput(
  { stdout, stderr }: { stdout: TextStream; stderr: TextStream },
  env: NodeJS.ProcessEnv,
): Output {
  const coloured = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  // SGR parameters, ECMA-48 8.3.117.
  const paint = (on: number, off: number): Paint =>
    coloured ? (text) => `\x1b[${on}m${text}\x1b[${off}m` : (text) => text;
  return {
    print: (line = '') => stdout.write(`${line}\n`),
    warn: (line) => stderr.write(`${line}\n`),
    write: (stream, bytes) => (stream === 'stdout' ? stdout : stderr).write(bytes),
    show: (stream, bytes) =>
      new Promise((resolve, reject) => {
        const target = stream === 'stdout' ? stdout : stderr;
        target.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    colours: { green: paint(32, 39), yellow: paint(33, 39), red: paint(31, 39), bold: paint(1, 22) },
  };
}

/** Rows as lines, every column but the last as wide as its widest cell and `gap` blanks, `least` at least. */
export function alignColumns(rows: readonly (readonly string[])[], gap = 3, least = 0): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell.padEnd(Math.max(widths[column]! + gap, least)),
      )
      .join('')
      .trimEnd(),
  );
}
