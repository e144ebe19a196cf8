import { writeFileSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { UsageError } from '../usage-error.ts';

/** Makes the file that the id will be written into. @throws UsageError when there is one already, as docker does */
export function reserveCidfile(path: string | undefined): void {
  if (path === undefined) return;
  try {
    writeFileSync(path, '', { flag: 'wx' });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    throw new UsageError(`the file of --cidfile is there already: ${path}`, 'remove it, or name another one');
  }
}
