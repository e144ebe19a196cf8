import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import { isErrno } from '../ffi/system-error.ts';
import { freeze, thaw } from './freeze.ts';
import type { Places } from './places.ts';
import { refused } from './write.ts';

/** Passes after which a container that forks faster than it is moved is held still. */
const PATIENCE = 20;
/** Held still it takes two. */
const MOST_PASSES = PATIENCE + 10;

/** Host pids of a container's processes; undefined without cgroup2, and when it has made cgroups of its own. */
export function cgroupMembers({ unified }: Places): number[] | undefined {
  if (unified === undefined) return undefined;
  const read = (name: string) => readFileSync(join(unified, name), 'latin1');
  if (!/^nr_descendants 0$/m.test(read('cgroup.stat'))) return undefined;
  return read('cgroup.procs').split('\n').filter(Boolean).map(Number);
}

/**
 * Moves all processes of a running container into more cgroups of it. What they start meanwhile is moved too: it goes on
 * until nobody is left outside.
 *
 * @param joinFiles `cgroup.procs` of each v1 cgroup; the first move of a while waits 12 ms in the kernel, off the event loop
 * @throws MayflyError `cgroup.refused`
 */
export async function moveMembers(places: Places, joinFiles: readonly string[]): Promise<void> {
  const source = sourceOf(places);
  // Zombies cannot be moved and are listed for as long as nobody reaps them.
  const tried = new Set<string>();
  let held = false;
  try {
    for (let pass = 1; pass <= MOST_PASSES; pass += 1) {
      if (pass === PATIENCE && places.unified !== undefined) {
        await freeze(places);
        held = true;
      }
      if (!(await movePass(source, { joinFiles, tried }))) return;
    }
    throw new MayflyError(
      'cgroup.refused',
      `processes kept appearing in ${dirname(source)} while they were moved`,
    );
  } finally {
    if (held) thaw(places);
  }
}

/**
 * Moves those who are not in all of their cgroups yet, because they were born while the others were moved.
 *
 * @throws MayflyError `cgroup.refused`
 */
export async function gatherMembers(places: Places): Promise<void> {
  const later = places.all.filter((directory) => directory !== places.unified && existsSync(directory));
  await moveMembers(
    places,
    later.map((directory) => join(directory, 'cgroup.procs')),
  );
}

/** True when there was anybody to move. */
async function movePass(
  source: string,
  { joinFiles, tried }: { joinFiles: readonly string[]; tried: Set<string> },
): Promise<boolean> {
  let moved = false;
  for (const file of joinFiles) {
    const inside = new Set(readMembers(file));
    for (const pid of readMembers(source)) {
      const key = `${file} ${pid}`;
      if (inside.has(pid) || tried.has(key)) continue;
      tried.add(key);
      moved = true;
      await move(pid, file);
    }
  }
  return moved;
}

async function move(pid: string, file: string): Promise<void> {
  try {
    await writeFile(file, pid, { flag: 'r+' });
  } catch (error) {
    // It has ended meanwhile.
    if (!isErrno(error, 'ESRCH')) throw refused(`move process ${pid} to ${dirname(file)}`, error);
  }
}

/** The list of all members: of the cgroup that every process of the container was born in. */
function sourceOf({ unified, find }: Places): string {
  const directory = unified ?? find('devices')?.directory;
  if (directory !== undefined) return join(directory, 'cgroup.procs');
  throw new MayflyError(
    'cgroup.controller-missing',
    'this host mounts neither cgroup2 nor the devices controller',
    {
      hint: 'mount -t cgroup2 none /sys/fs/cgroup/unified',
    },
  );
}

function readMembers(file: string): string[] {
  // 0 is a process outside our PID namespace.
  return readFileSync(file, 'latin1')
    .split('\n')
    .filter((pid) => pid !== '' && pid !== '0');
}
