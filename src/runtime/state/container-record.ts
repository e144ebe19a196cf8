import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import type { Home } from '../../support/home.ts';

/** What other processes need to know of a container; `record.json` in its directory. */
export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  /** Host pid of the shim. Means something only while the container's lock is held. */
  readonly shimPid: number;
}

/** Writes by rename, so that a reader sees all of it or nothing. */
export function writeRecord(home: Home, record: ContainerRecord): void {
  const path = join(home.containers, record.id, 'record.json');
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
}

/** Undefined for a container that has just begun or has just gone. */
export function readRecord(home: Home, id: string): ContainerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(home.containers, id, 'record.json'), 'utf8')) as ContainerRecord;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
