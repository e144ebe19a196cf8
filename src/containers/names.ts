import { existsSync, readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { MayflyError } from '../support/error.ts';
import type { Home } from '../support/home.ts';

const LEFT = [
  'brave',
  'calm',
  'clever',
  'eager',
  'gentle',
  'happy',
  'keen',
  'lucid',
  'merry',
  'nimble',
  'quiet',
  'swift',
];
const RIGHT = [
  'ada',
  'babbage',
  'dijkstra',
  'hamilton',
  'hopper',
  'knuth',
  'lamport',
  'liskov',
  'lovelace',
  'turing',
];

/** Docker's rule (moby daemon/names). */
export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

/** A name that nobody chose: two words and the start of the id, so that it is never taken. */
export function inventName(id: string): string {
  const pick = (words: readonly string[], at: number) =>
    words[Number.parseInt(id.slice(at, at + 4), 16) % words.length];
  return `${pick(LEFT, 0)}-${pick(RIGHT, 4)}-${id.slice(0, 6)}`;
}

/**
 * Takes a name for a container, atomically for all processes of this home: a symbolic link from name to id.
 *
 * @throws MayflyError `container.name-taken` while `isPresent` says that its holder is there.
 */
export function claimName(
  home: Home,
  { name, id, isPresent }: { name: string; id: string; isPresent: (id: string) => boolean },
): void {
  const path = namePath(home, name);
  for (;;) {
    try {
      symlinkSync(id, path);
      return;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const holder = holderOf(home, name);
    if (holder !== undefined && isPresent(holder)) {
      throw new MayflyError(
        'container.name-taken',
        `the name ${JSON.stringify(name)} is taken by container ${holder.slice(0, 12)}`,
        {
          hint: 'remove that container or choose another name',
        },
      );
    }
    releaseName(home, { name, id: holder });
  }
}

/** Gives a name back, unless somebody else has it by now. */
export function releaseName(home: Home, { name, id }: { name: string; id: string | undefined }): void {
  if (id === undefined || holderOf(home, name) !== id) return;
  try {
    unlinkSync(namePath(home, name));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Takes away the names of containers that are gone altogether, or about to be. */
export function sweepNames(home: Home, isDead: (id: string) => boolean): void {
  for (const file of readdirSync(home.containers)) {
    if (!file.endsWith('.name')) continue;
    const name = file.slice(0, -'.name'.length);
    const id = holderOf(home, name);
    if (id === undefined) continue;
    if (isDead(id) || !existsSync(join(home.containers, `${id}.lock`))) releaseName(home, { name, id });
  }
}

/** The id of the container that has a name. */
export function findName(home: Home, name: string): string | undefined {
  return NAME.test(name) ? holderOf(home, name) : undefined;
}

function holderOf(home: Home, name: string): string | undefined {
  try {
    return readlinkSync(namePath(home, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

const namePath = (home: Home, name: string) => join(home.containers, `${name}.name`);
