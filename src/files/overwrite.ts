import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';

/**
 * Makes a file, or changes one in place, without ever making it empty: ext4 writes one that has been to the disk when it is closed. A new
 * one gets mode 0600.
 */
export function overwrite(path: string, content: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    const bytes = Buffer.from(content);
    writeFileSync(file, bytes);
    if (fstatSync(file).size > bytes.length) ftruncateSync(file, bytes.length);
  } finally {
    closeSync(file);
  }
}
