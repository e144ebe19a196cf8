import { CLONE } from '../../kernel/mounts/flags.ts';
import { flags, ProgramBuilder, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { OperandLike, Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { enterUserNamespace } from '../compile/user-namespace.ts';
import { ShimProcess } from './shim-process.ts';

export interface InstructionsRequest {
  readonly binary: ShimBinary;
  /** User namespace that is entered first, for who is not root. */
  readonly userns: number | undefined;
  /** Descriptors that the instructions name, numbered from FIRST_FREE_FD on. */
  readonly passed?: readonly number[];
  /** Writes the instructions; what it returns becomes the exit code. Default: 0. */
  readonly write: (section: SectionBuilder) => OperandLike | undefined;
  /** Second word of the command line, for people who look at `ps`. */
  readonly label: string;
  /** Ends it in the middle. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Executes instructions in a process of their own that ends with this one, and resolves with its exit code.
 *
 * @throws ProgramError; the signal's reason
 */
export async function runInstructions({ signal, ...request }: InstructionsRequest): Promise<number> {
  const { binary, userns, passed = [], label } = request;
  signal?.throwIfAborted();
  const fds = userns === undefined ? {} : { userns };
  const shim = new ShimProcess({ binary, compile: () => compile(request), fds, passed, label });
  const abort = () => shim.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await shim.started;
    const { exitCode } = await shim.exited;
    signal?.throwIfAborted();
    return exitCode;
  } finally {
    signal?.removeEventListener('abort', abort);
    shim.close();
    await shim.exited;
  }
}

/** In a child of the shim, which ends with it. */
function compile({ userns, write }: InstructionsRequest): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const worker = program.section('worker', 'payload');
  if (userns !== undefined) enterUserNamespace(shim);
  shim.clone(worker, flags(CLONE), { what: 'clone the worker' });
  worker.call('exit_group', [write(worker) ?? 0]);
  return program.build();
}
