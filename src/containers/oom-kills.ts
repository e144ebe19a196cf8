import { readFileSync } from 'node:fs';
import { countOomKills } from '../kernel/cgroups/memory.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { deadlineIn, poll } from '../support/deadline.ts';
import { isMayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';

/** v1 gives notice when memory has run out, which is before the kernel has chosen whom to kill. */
const KILL_TIMEOUT = 5_000;

/**
 * Calls `listener` each time the kernel has killed processes for want of memory, with how many it has killed so far.
 *
 * Works in the process that started the container, and when memory was limited or counted from the start; in any case for
 * a kill that ended the container.
 */
export function onOomKill({ record, run }: ContainerParts, listener: (kills: number) => void): void {
  const { oomFile } = record.spec.cgroup;
  let known = 0;
  const report = (kills: number) => {
    if (kills <= known) return;
    known = kills;
    listener(kills);
  };
  let looking = false;
  run.supervision.onNotice(() => {
    if (looking) return;
    looking = true;
    void look(oomFile!, () => known).then((kills) => {
      looking = false;
      report(kills);
    });
  });
  void run.exited.then(({ oomKilled }) => {
    if (oomKilled) report(Math.max(known, 1));
  });
}

/** The count once it is more than before; the same as before when nobody was killed, or all is over. */
async function look(oomFile: string, known: () => number): Promise<number> {
  try {
    return await poll(
      () => {
        const kills = countOomKills(readFileSync(oomFile, 'latin1'));
        return kills > known() ? kills : undefined;
      },
      { deadline: deadlineIn(KILL_TIMEOUT), what: 'an OOM kill' },
    );
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV') || isMayflyError(error, 'wait.timeout')) return known();
    throw error;
  }
}
