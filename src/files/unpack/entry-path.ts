import { refuse } from '../file-error.ts';
import { shown } from '../tar/entry.ts';

const MAX_PATH = 4095;
const MAX_PART = 255;

/**
 * The path of a name in a tar, relative to where the tar is unpacked: `./etc//passwd` and `/etc/passwd` are `./etc/passwd`.
 *
 * @throws FileError `file.refused` for `..`, and for what no file system could hold
 */
export function entryPath(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuse(`${shown(name)} leads upwards`);
  if (name.length > MAX_PATH || parts.some((part) => part.length > MAX_PART))
    throw refuse(`${shown(name)} is too long`);
  return ['.', ...parts].join('/');
}
