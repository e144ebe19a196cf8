import { AT_FDCWD, CLONE, O } from '../../kernel/mounts/flags.ts';
import { flags, octal, ProgramBuilder, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import { enterUserNamespace } from './user-namespace.ts';

export interface TreeCopy {
  /** Absolute path of a directory of the host, whose content nobody changes meanwhile. */
  readonly from: string;
  /** Absolute path of a directory that is made. */
  readonly to: string;
  /** Enter the user namespace on fd `userns` first, as an ordinary user has to. */
  readonly inUserns: boolean;
}

/** Copies a tree in a child of the shim, so that it ends when the launcher does. Its exit code is what copyTree results in. */
export function compileTreeCopy({ from, to, inUserns }: TreeCopy): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const copier = program.section('copier', 'payload');
  if (inUserns) enterUserNamespace(shim);
  shim.clone(copier, flags(CLONE), { what: 'clone the copier' });
  copier.call('mkdirat', [AT_FDCWD, to, octal(0o700)], { what: `make ${to}` });
  const source = openDirectory(copier, from);
  const target = openDirectory(copier, to);
  copier.call('exit_group', [copier.copyTree(source, target, { what: `copy ${from} to ${to}` })]);
  return program.build();
}

function openDirectory(section: SectionBuilder, path: string) {
  return section.call(
    'openat',
    [AT_FDCWD, path, flags(O, 'O_RDONLY', 'O_DIRECTORY', 'O_NOFOLLOW', 'O_CLOEXEC'), 0],
    { what: `open ${path}` },
  );
}
