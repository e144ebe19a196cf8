/** The functions that docker's templates have (cli templates/templates.go), and those of Go's that people use in them. */
export const FUNCTIONS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  json: (value: unknown) => JSON.stringify(value),
  upper: (text: string) => String(text).toUpperCase(),
  lower: (text: string) => String(text).toLowerCase(),
  title: (text: string) => String(text).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  split: (text: string, separator: string) => text.split(separator),
  join: (list: readonly unknown[], separator: string) => list.map(display).join(separator),
  pad: (text: string, before: number, after: number) =>
    ' '.repeat(before) + display(text) + ' '.repeat(after),
  truncate: (text: string, length: number) => text.slice(0, length),
  len: (value: unknown) => Object.keys(Object(value)).length,
  index: (value: unknown, ...keys: (string | number)[]) => keys.reduce(at, value),
  print: (...values: unknown[]) => values.map(display).join(''),
  println: (...values: unknown[]) => `${values.map(display).join(' ')}\n`,
  printf: (format: string, ...values: unknown[]) => printf(format, values),
  not: (value: unknown) => !isTrue(value),
  and: (...values: unknown[]) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values: unknown[]) => values.find(isTrue) ?? values.at(-1),
  eq: (value: unknown, ...others: unknown[]) => others.includes(value),
  ne: (a: unknown, b: unknown) => a !== b,
  lt: (a: number, b: number) => a < b,
  le: (a: number, b: number) => a <= b,
  gt: (a: number, b: number) => a > b,
  ge: (a: number, b: number) => a >= b,
  slice: (value: string | unknown[], from?: number, to?: number) => value.slice(from, to),
};

/** A value as Go prints it: `map[a:1]`, `[a b]`. */
export function display(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(display).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, entry]) => `${key}:${display(entry)}`).join(' ')}]`;
}

/** Go's truth: neither zero nor empty. */
export function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function at(value: unknown, key: string | number): unknown {
  const object = Object(value) as Record<string | number, unknown>;
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** `%s`, `%v`, `%d`, `%q` and `%%`, with widths and precisions. */
function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(
    /%(-?\d*)(?:\.(\d+))?([svdq%])/g,
    (_, width: string, most: string | undefined, verb) => {
      if (verb === '%') return '%';
      const whole = display(values[next++]);
      const cut = most === undefined ? whole : whole.slice(0, Number(most));
      const text = verb === 'q' ? JSON.stringify(cut) : cut;
      return width.startsWith('-') ? text.padEnd(-Number(width)) : text.padStart(Number(width));
    },
  );
}
