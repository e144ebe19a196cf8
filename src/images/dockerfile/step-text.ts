import type { Instruction } from './parse.ts';

/** Name and password in a URL: they are nobody's business but the server's (CVE-2023-26054). */
const CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi;

export function withoutCredentials(text: string): string {
  return text.replace(CREDENTIALS, '$1xxxxx@');
}

/** An instruction as history and progress show it: whole, on the line that the Dockerfile has it on. */
export function stepText({ keyword, flags, args }: Pick<Instruction, 'keyword' | 'flags' | 'args'>): string {
  const written = flags.map(({ name, value }) => (value === '' ? `--${name}` : `--${name}=${value}`));
  return withoutCredentials([keyword, ...written, args].join(' '));
}
