import { CLONE, O } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { buffer, flags, type SectionBuilder, struct } from '../../kernel/program/builder.ts';
import type { Result } from '../../kernel/program/instruction.ts';
import type { CgroupSpec } from '../spec/container-spec.ts';
import { openHostFile, pin } from './host-file.ts';

// <linux/prctl.h>, <linux/poll.h>, <linux/wait.h>
const PR = { PR_SET_PDEATHSIG: 1, PR_SET_CHILD_SUBREAPER: 36 } as const;
const POLLIN = 1;
const P_PIDFD = 3;
const WEXITED = 4;
const SIGKILL = 9;
/** What an eventfd(2) counts up by. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
/** The teardown runs whatever has been made by then; a descriptor that nobody has filled in is /dev/null. */
const NOT_MADE = ['EBADF', 'EINVAL', 'ECHILD'];

/**
 * In the shim: a process whose only task is to outlive it. In a PID namespace of its own a container dies with its init; among
 * the processes of another container, those that it has made would go on. They cannot leave their cgroup, though.
 *
 * What the guard has killed is reaped by whom the shim's orphans go to, PID 1 as a rule. Where that reaps nothing, the other
 * container's namespace cannot end before that (pid_namespaces(7)).
 *
 * Result: the event by which the guard says that it is there.
 */
export function cloneGuard(
  shim: SectionBuilder,
  { guard, cgroup }: { guard: SectionBuilder; cgroup: CgroupSpec },
): Result {
  const self = shim.call('getpid', [], { what: 'see who we are' });
  pin(shim, FDS.supervisor, shim.call('pidfd_open', [self, 0], { what: 'open ourselves' }));
  pin(shim, FDS.killSwitch, openHostFile(shim, `${cgroup.unified}/cgroup.kill`, ['O_WRONLY']));
  const ready = shim.call('eventfd2', [0, flags(O, 'O_CLOEXEC')], { what: 'make an event' });
  const pid = shim.clone(guard, flags(CLONE), { what: 'clone the guard' });
  pin(shim, FDS.guard, shim.call('pidfd_open', [pid, 0], { what: 'open the guard' }));
  return ready;
}

/** In the guard. */
export function standGuard(guard: SectionBuilder, ready: Result): void {
  guard.call('prctl', [flags(PR, 'PR_SET_PDEATHSIG'), 0, 0, 0, 0], { what: 'outlive the shim' });
  guard.call('write', [ready, ONE, 8], { what: 'say that the guard is there' });
  // The lock above all: whose lock can be taken is dead.
  guard.call('close_range', [3, FDS.supervisor - 1, 0], { what: 'close what is the shim’s' });
  guard.call('close_range', [FDS.killSwitch + 1, 0xffff_ffff, 0], { what: 'close the rest' });
  const ended = struct([FDS.supervisor + POLLIN * 2 ** 32], '{supervisor, POLLIN}');
  guard.call('ppoll', [ended, 1, 0, 0, 0], { what: 'wait for the end of the shim' });
  guard.call('write', [FDS.killSwitch, '1', 1], { what: 'kill what is left', tolerate: ['ENODEV'] });
  guard.call('exit_group', [0], { what: 'be done' });
}

/** In init, before there is a payload: what is orphaned below comes to it, and the guard is there. */
export function joinGuarded(init: SectionBuilder, ready: Result): void {
  init.call('prctl', [flags(PR, 'PR_SET_CHILD_SUBREAPER'), 1, 0, 0, 0], { what: 'adopt orphans' });
  init.call('read', [ready, buffer(8), 8], { what: 'wait for the guard' });
}

/** In the shim, when init is dead: ends what is left, and the guard. */
export function dismissGuard(teardown: SectionBuilder): void {
  teardown.call('write', [FDS.killSwitch, '1', 1], { what: 'kill what is left', tolerate: ['ENODEV'] });
  teardown.call('pidfd_send_signal', [FDS.guard, SIGKILL, 0, 0], {
    what: 'end the guard',
    tolerate: [...NOT_MADE, 'ESRCH'],
  });
  teardown.call('waitid', [P_PIDFD, FDS.guard, 0, WEXITED, 0], {
    what: 'reap the guard',
    tolerate: NOT_MADE,
  });
}
