import { errnoName } from '../../kernel/ffi/system-error.ts';
import { FAILURE } from '../../kernel/program/abi.ts';
import { explainInstruction } from '../../kernel/program/explain.ts';
import type { Instruction, Program } from '../../kernel/program/instruction.ts';
import { MayflyError } from '../../support/error.ts';

/** A program that the shim could not carry out. The step that failed is `instruction`; nothing it made is left. */
export class ProgramError extends MayflyError {
  readonly instruction: Instruction;
  readonly errno: string;
  /** Position of the step, counted from 1, as the message gives it. */
  readonly step: number;
  /** Result of every instruction by index: 0 when it did not run, negative errno when it failed. */
  readonly results: readonly number[];

  constructor(program: Program, failure: Buffer) {
    const instructions = program.sections.flatMap((section) => section.instructions);
    const index = failure.readInt32LE(FAILURE.offset.index);
    const errno = errnoName(failure.readInt32LE(FAILURE.offset.errno));
    const instruction = instructions[index]!;
    const hint = HINTS[errno]?.(instruction);
    super(
      'kernel.program',
      `${instruction.what} failed: ${errno} (step ${index + 1} of ${instructions.length})`,
      {
        ...(hint === undefined ? {} : { hint }),
        cause: new Error(explainInstruction(instruction).trim()),
      },
    );
    this.instruction = instruction;
    this.errno = errno;
    this.step = index + 1;
    const results: number[] = [];
    for (let at = FAILURE.size; at + 4 <= failure.length; at += 4) results.push(failure.readInt32LE(at));
    this.results = results;
  }
}

/** What an errno most likely means in a start or exec. */
const HINTS: Readonly<Record<string, (instruction: Instruction) => string | undefined>> = {
  EPERM: () => 'run as root, and in a container of your own only with CAP_SYS_ADMIN',
  ENOSPC: ({ operation }) =>
    operation === 'clone'
      ? 'raise /proc/sys/user/max_*_namespaces'
      : 'free some space on the file system of MAYFLY_HOME',
  ENOSYS: ({ operation }) => `this kernel is too old for ${operation}; mayfly needs Linux 5.12 or later`,
  ELOOP: () => 'the image has a symbolic link where a directory is required',
  EMFILE: () => 'raise the limit of open files (ulimit -n)',
  ENOMEM: () => 'free some memory, or raise the limits of the cgroup that the tests run in',
};
