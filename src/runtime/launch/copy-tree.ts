import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { MayflyError } from '../../support/error.ts';
import { compileTreeCopy } from '../compile/copy-tree.ts';
import { ShimProcess } from './shim-process.ts';

export interface TreeCopyRequest {
  readonly binary: ShimBinary;
  /** Absolute path of a directory; nobody may change what is in it meanwhile. */
  readonly from: string;
  /** Absolute path at which nothing is yet. */
  readonly to: string;
  /** User namespace in which all owners have names, for who is not root. */
  readonly userns: number | undefined;
  /** Ends the copy; what there is of it by then stays. */
  readonly signal?: AbortSignal | undefined;
}

/** How content got there: shared with the source until either is written to, or a copy of it. */
export type CopyMethod = 'reflink' | 'copy';

const METHODS: readonly CopyMethod[] = ['reflink', 'copy'];

/**
 * Copies a tree of any owners, modes and attributes without following a link, in a process of its own that ends with this one.
 *
 * @throws ProgramError with the errno of what failed: ENOSPC, ENAMETOOLONG beyond 4095 bytes, ELOOP beyond 400 levels
 */
export async function copyTree({ binary, from, to, userns, signal }: TreeCopyRequest): Promise<CopyMethod> {
  signal?.throwIfAborted();
  const shim = new ShimProcess({
    binary,
    compile: () => compileTreeCopy({ from, to, inUserns: userns !== undefined }),
    fds: userns === undefined ? {} : { userns },
    label: 'copy',
  });
  const abort = () => shim.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await shim.started;
    const { exitCode } = await shim.exited;
    signal?.throwIfAborted();
    const method = METHODS[exitCode];
    if (method !== undefined) return method;
    throw new MayflyError('kernel.shim-lost', `the process that copied ${from} ended with code ${exitCode}`, {
      hint: 'try again; was it killed?',
    });
  } finally {
    signal?.removeEventListener('abort', abort);
    shim.close();
    await shim.exited;
  }
}
