import { readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import type { IdSpec } from '../runtime/spec/container-spec.ts';
import { MayflyError } from '../support/error.ts';
import type { Home } from '../support/home.ts';

type PrivateIds = IdSpec & { readonly kind: 'private' };

/** Ids that systemd's table leaves to nobody: 1879048192 to 2147352575 (UIDS-GIDS.md, "Summary"). */
const FIRST = 0x7000_0000;
const LAST = 2_147_352_575;
/** As many as an image counts on. */
const COUNT = 65_536;
const SLOTS = Math.floor((LAST - FIRST + 1) / COUNT);
const SUFFIX = '.ids';
/** The first that has overlay on idmapped mounts. */
const NEEDED_KERNEL = [5, 19] as const;

/**
 * Takes a range of ids that no other container of this home has: a symbolic link from the range to the container, which one
 * process is let make. The search begins at a place that depends on the container, so that homes rarely meet.
 *
 * @throws MayflyError `host.kernel-too-old`, `container.no-ids-left`
 */
export function claimIds(
  home: Home,
  { id, isPresent }: { id: string; isPresent: (id: string) => boolean },
): PrivateIds {
  requireKernel();
  const start = Number.parseInt(id.slice(0, 8), 16) % SLOTS;
  for (let i = 0; i < SLOTS; i += 1) {
    const slot = (start + i) % SLOTS;
    if (claimSlot(home, slot, { id, isPresent }))
      return { kind: 'private', base: FIRST + slot * COUNT, count: COUNT };
  }
  throw new MayflyError('container.no-ids-left', `all ${SLOTS} ranges of ids are taken`, {
    hint: 'stop some containers',
  });
}

/** Gives back what a container has, if anything. */
export function releaseIds(home: Home, id: string): void {
  sweepIds(home, (holder) => holder !== id);
}

/** Gives back the ranges whose holders are gone. */
export function sweepIds(home: Home, isPresent: (id: string) => boolean): void {
  for (const file of readdirSync(home.containers)) {
    if (!file.endsWith(SUFFIX)) continue;
    const path = join(home.containers, file);
    const holder = holderOf(path);
    if (holder !== undefined && !isPresent(holder)) removeLink(path);
  }
}

function claimSlot(
  home: Home,
  slot: number,
  { id, isPresent }: { id: string; isPresent: (id: string) => boolean },
): boolean {
  const path = join(home.containers, `${slot}${SUFFIX}`);
  for (;;) {
    try {
      symlinkSync(id, path);
      return true;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const holder = holderOf(path);
    // A restart finds what it had.
    if (holder === id) return true;
    if (holder !== undefined && isPresent(holder)) return false;
    removeLink(path);
  }
}

function holderOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function removeLink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function requireKernel(): void {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const [neededMajor, neededMinor] = NEEDED_KERNEL;
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new MayflyError(
    'host.kernel-too-old',
    `userns: 'private' takes Linux ${NEEDED_KERNEL.join('.')} or later, and this is ${release()}`,
    { hint: 'leave the option out' },
  );
}
