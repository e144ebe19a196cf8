import { FDS } from '../../kernel/program/abi.ts';
import { buffer, type SectionBuilder, struct } from '../../kernel/program/builder.ts';

// <poll.h>
const POLLIN = 1;

/**
 * Waits for the event on fd `go`, and for the end of the init on fd `pidfd`. By then the kernel has ended everything in its PID namespace and closed their files:
 * locks are free, and so are ports (pid_namespaces(7); zap_pid_ns_processes in the kernel's kernel/pid_namespace.c).
 */
export function awaitFormer(section: SectionBuilder): void {
  section.call('read', [FDS.go, buffer(8), 8], { what: 'wait to be told to begin' });
  const ended = struct([FDS.pidfd + POLLIN * 2 ** 32], '{pidfd, POLLIN}');
  section.call('ppoll', [ended, 1, 0, 0, 0], { what: 'wait for the end of the former processes' });
}
