import { FORWARD_RULE, type Role } from './abi.ts';
import type { Instruction, Operand, OperandLike, Program, Result, Section } from './instruction.ts';

export interface CallOptions {
  /** The purpose in words; default: the operation's name. */
  readonly what?: string;
  /** Error names that do not end the program. */
  readonly tolerate?: readonly string[];
}

/** Where connections come in and where they go. */
export interface ForwardRule {
  /** Descriptor of a listening socket. */
  readonly listener: number;
  /** IPv4 address, as a socket address of the kernel's (struct sockaddr_in). */
  readonly address: Uint8Array;
}

/** Writes instructions into one section of a program, in the order in which they will run. */
export interface SectionBuilder {
  readonly name: string;
  /** One system call by name. Returns its future result, to be used as an operand of later instructions. */
  call(operation: string, operands: readonly OperandLike[], options?: CallOptions): Result;
  /** clone3: the child runs `child`; `cgroup` is an fd for CLONE_INTO_CGROUP. Result: the child's pid. */
  clone(child: SectionBuilder, flags: Operand, options?: CallOptions & { cgroup?: Result }): Result;
  /** One netlink packet on socket `fd`; at most one message of it may carry NLM_F_ACK, and one must. */
  netlink(fd: OperandLike, message: Uint8Array, options?: CallOptions): Result;
  /** Serves connections from now on; nothing after it runs. `adoption` is the descriptor that other listeners may come over. */
  forward(rules: readonly ForwardRule[], options?: CallOptions & { adoption?: number | undefined }): Result;
  /** Copies what is below the directory `from` into the empty directory `to`. Result: 0 all by reflink, 1 not all. */
  copyTree(from: OperandLike, to: OperandLike, options?: CallOptions): Result;
}

/**
 * Builds a program section by section. Sections are numbered in the order in which they are opened, and have to be written in
 * that order, because instructions are numbered as they are written.
 */
export class ProgramBuilder {
  #count = 0;
  readonly #sections: { name: string; role: Role; instructions: Instruction[] }[] = [];

  /** Opens a section; the first one is the supervisor's. `role` says what the process does after its section. */
  section(name: string, role: Role): SectionBuilder {
    const instructions: Instruction[] = [];
    this.#sections.push({ name, role, instructions });
    const add = (instruction: Omit<Instruction, 'index'>): Result => {
      const index = this.#count++;
      instructions.push({ index, ...instruction });
      return { kind: 'result', of: index };
    };
    return {
      name,
      call: (operation, operands, { what = operation, tolerate = [] } = {}) =>
        add({ kind: 'syscall', operation, operands: operands.map(toOperand), what, tolerate }),
      clone: (child, flags, { what = 'clone', tolerate = [], cgroup } = {}) =>
        add({
          kind: 'clone',
          operation: 'clone',
          operands: [flags, ...(cgroup === undefined ? [] : [cgroup])],
          section: child.name,
          what,
          tolerate,
        }),
      netlink: (fd, message, { what = 'netlink', tolerate = [] } = {}) =>
        add({
          kind: 'netlink',
          operation: 'netlink',
          operands: [toOperand(fd), toOperand(message)],
          what,
          tolerate,
        }),
      forward: (rules, { what = 'forward', tolerate = [], adoption } = {}) =>
        add({
          kind: 'forward',
          operation: 'forward',
          operands: [
            { kind: 'bytes', value: encodeRules(rules) },
            toOperand(rules.length),
            ...(adoption === undefined ? [] : [toOperand(adoption)]),
          ],
          what,
          tolerate,
        }),
      copyTree: (from, to, { what = 'copy a tree', tolerate = [] } = {}) =>
        add({
          kind: 'copyTree',
          operation: 'copyTree',
          operands: [toOperand(from), toOperand(to)],
          what,
          tolerate,
        }),
    };
  }

  build(options: Omit<Program, 'sections'> = {}): Program {
    const sections: Section[] = this.#sections;
    const indices = sections.flatMap(({ instructions }) => instructions.map(({ index }) => index));
    if (indices.some((index, position) => index !== position))
      throw new RangeError(
        'sections have to be written one after the other, in the order in which they were opened',
      );
    return { sections, ...options };
  }
}

function encodeRules(rules: readonly ForwardRule[]): Buffer {
  const table = Buffer.alloc(rules.length * FORWARD_RULE.size);
  rules.forEach(({ listener, address }, i) => {
    table.writeInt32LE(listener, i * FORWARD_RULE.size + FORWARD_RULE.offset.listener);
    table.set(address, i * FORWARD_RULE.size + FORWARD_RULE.offset.address);
  });
  return table;
}

function toOperand(operand: OperandLike): Operand {
  if (typeof operand === 'number') return { kind: 'immediate', value: operand };
  if (typeof operand === 'string') return { kind: 'string', value: operand };
  if (operand instanceof Uint8Array) return { kind: 'bytes', value: operand };
  return operand;
}

/** A word of flags that `explain` prints by name. `table` maps names to bits. */
export function flags<T extends Readonly<Record<string, number>>>(
  table: T,
  ...names: (keyof T & string)[]
): Operand {
  const value = names.reduce((bits, name) => bits | table[name]!, 0) >>> 0;
  return { kind: 'immediate', value, text: names.join('|') || '0' };
}

/** Permission bits, which people read in octal. */
export const octal = (mode: number): Operand => ({
  kind: 'immediate',
  value: mode,
  text: `0o${mode.toString(8)}`,
});

/** argv or envp: a NULL-terminated array of pointers to the strings. */
export const strings = (values: readonly string[]): Operand => ({ kind: 'strings', values });

/** A C struct made of 8-byte cells, which may be pointers (string, bytes) or results. */
export const struct = (cells: readonly OperandLike[], text?: string): Operand => ({
  kind: 'struct',
  cells: cells.map(toOperand),
  ...(text === undefined ? {} : { text }),
});

/** A zeroed buffer of `size` bytes that the kernel writes into; `slot` names it for {@link Program.report}. */
export const buffer = (size: number, slot?: string): Operand => ({
  kind: 'bytes',
  value: new Uint8Array(size),
  ...(slot === undefined ? {} : { slot }),
});
