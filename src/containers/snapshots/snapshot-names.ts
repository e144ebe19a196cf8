import { readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import { NAME } from '../names.ts';

/*
 * A name is a symbolic link to a snapshot's id. Like an image's tag it stands for the newest snapshot that was given it.
 */
const PREFIX = 'name-';
const NEW = 'new-';

/** @throws MayflyError `snapshot.bad-name` */
export function checkSnapshotName(name: string): void {
  if (NAME.test(name)) return;
  throw new MayflyError('snapshot.bad-name', `${JSON.stringify(name)} cannot be the name of a snapshot`, {
    hint: 'use up to 63 letters, digits, dots, dashes and underscores, the first one a letter or a digit',
  });
}

/** Gives a snapshot the name, in one step; whatever had it has none from then on. */
export function nameSnapshot(home: Home, name: string, id: string): void {
  const temporary = join(home.snapshots, `${NEW}${id}`);
  symlinkSync(id, temporary);
  renameSync(temporary, pathOf(home, name));
}

/** The id of the snapshot that has the name. */
export function findSnapshotName(home: Home, name: string): string | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    return readlinkSync(pathOf(home, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Names by id. A snapshot has one name at most. */
export function snapshotNames(home: Home): Map<string, string> {
  const links = readdirSync(home.snapshots).filter((name) => name.startsWith(PREFIX));
  return new Map(
    links.flatMap((link) => {
      const name = link.slice(PREFIX.length);
      const id = findSnapshotName(home, name);
      return id === undefined ? [] : [[id, name] as const];
    }),
  );
}

/** Takes the name away from a snapshot that is to go. */
export function unnameSnapshot(home: Home, id: string): void {
  const name = snapshotNames(home).get(id);
  if (name === undefined) return;
  try {
    unlinkSync(pathOf(home, name));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Removes names that nobody came to give. `isTaking`: whether the process still runs that takes the snapshot with an id. */
export function sweepNewNames(home: Home, isTaking: (id: string) => boolean): void {
  for (const name of readdirSync(home.snapshots).filter((name) => name.startsWith(NEW)))
    if (!isTaking(name.slice(NEW.length))) rmSync(join(home.snapshots, name), { force: true });
}

const pathOf = (home: Home, name: string) => join(home.snapshots, `${PREFIX}${name}`);
