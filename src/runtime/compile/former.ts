import { FDS } from '../../kernel/program/abi.ts';
import { type SectionBuilder, struct } from '../../kernel/program/builder.ts';
import type { Operand } from '../../kernel/program/instruction.ts';

// <poll.h>
const POLLIN = 1;

/** Waits for the event on fd `go`, which everybody sees who waits for it. */
export function awaitTold(section: SectionBuilder): void {
  section.call('ppoll', [readable('go'), 1, 0, 0, 0], { what: 'wait to be told to begin' });
}

/**
 * Waits for the end of the init on fd `pidfd`, or for the event on fd `beside`. With the end the kernel has ended everything in its PID
 * namespace and closed their files: locks are free, and so are ports (pid_namespaces(7); zap_pid_ns_processes in the kernel's
 * kernel/pid_namespace.c).
 */
export function awaitFormer(section: SectionBuilder): void {
  section.call('ppoll', [readable('pidfd', 'beside'), 2, 0, 0, 0], {
    what: 'wait until the former processes are in nobody’s way',
  });
}

/** An array of struct pollfd. */
const readable = (...names: (keyof typeof FDS)[]): Operand =>
  struct(
    names.map((name) => FDS[name] + POLLIN * 2 ** 32),
    `[${names.map((name) => `{${name}, POLLIN}`).join(', ')}]`,
  );
