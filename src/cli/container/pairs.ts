import { UsageError } from '../usage-error.ts';

/** The two halves of `text` around the first separator. @throws UsageError when there is none, or nothing before it */
export function splitPair(
  text: string,
  separator: ':' | '=',
  { what, form }: { readonly what: string; readonly form: string },
): [string, string] {
  const at = text.indexOf(separator);
  if (at <= 0 || at === text.length - 1) throw new UsageError(`not ${what}: ${text}`, `write ${form}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** A whole number. @throws UsageError */
export function wholeNumber(text: string, what: string): number {
  const number = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new UsageError(`not ${what}: ${text}`, 'write a whole number');
}
