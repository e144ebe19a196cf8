import { refused } from './layer-error.ts';

const MAX_PATH = 4095;
const MAX_PART = 255;

/**
 * The absolute path, inside the layer, of a name in a tar: `./etc//passwd` is `/etc/passwd`.
 *
 * @throws MayflyError `layer.refused` for `..`, for NUL, and for what no file system could hold
 */
export function entryPath(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refused(`${JSON.stringify(name)} leads upwards`);
  if (name.includes('\0')) throw refused(`${JSON.stringify(name)} holds a NUL character`);
  if (name.length > MAX_PATH || parts.some((part) => Buffer.byteLength(part) > MAX_PART)) {
    throw refused(`${JSON.stringify(`${name.slice(0, 60)}…`)} is too long`);
  }
  return `/${parts.join('/')}`;
}
