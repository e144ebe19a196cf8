import { AT_FDCWD, O } from '../../kernel/mounts/flags.ts';
import { flags, octal, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { Result } from '../../kernel/program/instruction.ts';
import { MayflyError } from '../../support/error.ts';
import { type InstructionsRequest, runInstructions } from './run-instructions.ts';

export interface TreeCopy extends Pick<InstructionsRequest, 'binary' | 'userns' | 'signal'> {
  /** Absolute path of a directory; nobody may change what is in it meanwhile. */
  readonly from: string;
  /** Absolute path of a directory that is made. */
  readonly to: string;
}

/** How content got there: shared with the source until either is written to, or a copy of it. */
export type CopyMethod = 'reflink' | 'copy';

/** By what the instruction results in. */
const METHODS: readonly CopyMethod[] = ['reflink', 'copy'];

/**
 * Copies a tree of any owners, modes and attributes without following a link. What there is of the copy when it is aborted or
 * fails is the caller's to remove.
 *
 * @throws ProgramError with the errno of what failed: ENOSPC, ENAMETOOLONG beyond 4095 bytes, ELOOP beyond 400 levels
 */
export async function copyTree({ from, to, ...request }: TreeCopy): Promise<CopyMethod> {
  const write = (section: SectionBuilder) => {
    section.call('mkdirat', [AT_FDCWD, to, octal(0o700)], { what: `make ${to}` });
    const source = openDirectory(section, from);
    const target = openDirectory(section, to);
    return section.copyTree(source, target, { what: `copy ${from} to ${to}` });
  };
  const exitCode = await runInstructions({ ...request, write, label: 'copy' });
  const method = METHODS[exitCode];
  if (method !== undefined) return method;
  throw new MayflyError('kernel.shim-lost', `the process that copied ${from} ended with code ${exitCode}`, {
    hint: 'try again; was it killed?',
  });
}

function openDirectory(section: SectionBuilder, path: string): Result {
  const mode = flags(O, 'O_RDONLY', 'O_DIRECTORY', 'O_NOFOLLOW', 'O_CLOEXEC');
  return section.call('openat', [AT_FDCWD, path, mode, 0], { what: `open ${path}` });
}
