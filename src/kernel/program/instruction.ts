import type { ATTACH, Role } from './abi.ts';

/**
 * The inventory of kernel power: everything a program can ask the shim to do.
 *
 * A program is a list of named sections of instructions, a plain value. An instruction is one system call (or one of
 * the few operations below that are not a single call), its operands, and the errors it may meet without failing.
 * Dataflow is the only control flow: an operand may be the result of an earlier instruction, and an instruction
 * whose operand comes from a call that failed with a tolerated error, or was itself skipped, is skipped.
 */

/** What an instruction does. `syscall` runs the named system call; the rest are the shim's own few operations. */
export const OPERATIONS = {
  /** `operation` names a system call; the result is its return value. */
  syscall: 0,
  /**
   * clone3 with `flags` (and CLONE_INTO_CGROUP when an fd is given); the child runs another section and dies with its
   * parent. Result: its pid.
   */
  clone: 1,
  /** Sends one netlink message and returns the error field of the answering NLMSG_ERROR (0 when it worked). */
  netlink: 2,
  /**
   * Accepts connections and moves their bytes to and fro, for as long as the process lives. Closes every other descriptor
   * first. Over a socket, where one is given, other listening sockets may take the place of the first ones.
   */
  forward: 3,
  /**
   * Copies a tree from one open directory into another, which is empty. Result: 0 when all content is shared by copy-on-write, 1
   * when some had to be copied.
   */
  copyTree: 4,
} as const;

/** <linux/poll.h>: POLLIN and POLLPRI. */
export const NOTICE_EVENTS = { readable: 1, priority: 2 } as const;

export type OperationKind = keyof typeof OPERATIONS;

/** A value of one argument; numbers are whole and fit 53 bits. `text` is how `explain` prints it, flags by name. */
export type Operand =
  | { readonly kind: 'immediate'; readonly value: number; readonly text?: string }
  | { readonly kind: 'result'; readonly of: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly values: readonly string[] }
  | { readonly kind: 'bytes'; readonly value: Uint8Array; readonly text?: string; readonly slot?: string }
  | { readonly kind: 'struct'; readonly cells: readonly Operand[]; readonly text?: string };

export interface Instruction {
  /** Position in the program, counted over all sections; what `result` operands and failure reports name. */
  readonly index: number;
  readonly kind: OperationKind;
  /** System-call name, or the kind. */
  readonly operation: string;
  readonly operands: readonly Operand[];
  /** The purpose in words, as errors and `explain` print it: `mount proc on "/proc"`. */
  readonly what: string;
  /** Error names that are recorded instead of ending the program. */
  readonly tolerate: readonly string[];
  /** For `clone`: the section that the child runs. */
  readonly section?: string;
}

export interface Section {
  readonly name: string;
  readonly role: Role;
  readonly instructions: readonly Instruction[];
}

/**
 * The first attempt of an instruction is not made and counts as failed. EINTR is followed by a second attempt, which is
 * made.
 */
export interface Failpoint {
  /** Index of the instruction. */
  readonly index: number;
  /** `ENOMEM` */
  readonly errno: string;
}

/** Looks at a program that is about to run and says which of its instructions shall fail. */
export type ChooseFailpoint = (program: Program) => Failpoint | undefined;

export interface Program {
  readonly sections: readonly Section[];
  /** Name of the `bytes` operand whose content is sent back with the exit report, if any. */
  readonly report?: string;
  /** What fd `notice` is watched for: `readable` for an eventfd, `priority` for a file that polls. Default: nothing. */
  readonly notice?: keyof typeof NOTICE_EVENTS;
  /** Bytes of log that are kept; default: no limit. */
  readonly logLimit?: number;
  /** True: what the program started outlives the process that launched it. Default: false. */
  readonly detached?: boolean;
  /** Descriptors that the launcher passes, numbered from FIRST_FREE_FD on. Default: 0. */
  readonly passed?: number;
  /** The ways to the process's streams that there are. Default: none. */
  readonly attach?: readonly (keyof typeof ATTACH)[];
  /** Makes one instruction fail, to see what that leaves behind. Default: none. */
  readonly failpoint?: Failpoint | undefined;
}

/** The result of an earlier instruction, to be used as an operand. */
export interface Result {
  readonly kind: 'result';
  readonly of: number;
}

/** What callers may write for an operand: numbers and strings stand for themselves. */
export type OperandLike = Operand | number | string | Uint8Array;

/** The program with the failpoint that is chosen for it; as it is without one. */
export function withFailpoint(program: Program, choose: ChooseFailpoint | undefined): Program {
  const failpoint = choose?.(program);
  return failpoint === undefined ? program : { ...program, failpoint };
}
