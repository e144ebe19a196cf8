import { AT_FDCWD, O } from '../../kernel/mounts/flags.ts';
import { type CallOptions, flags, octal, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { OperandLike, Result } from '../../kernel/program/instruction.ts';

/** Opens a file of the host, by a path that no image has a say in. */
export function openHostFile(
  section: SectionBuilder,
  path: string,
  names: readonly (keyof typeof O)[],
  options: CallOptions = {},
): Result {
  const operands = [AT_FDCWD, path, flags(O, ...names, 'O_CLOEXEC'), octal(0o600)];
  return section.call('openat', operands, { what: `open ${path}`, ...options });
}

/** Gives a descriptor its fixed number. */
export function pin(section: SectionBuilder, number: number, fd: OperandLike): void {
  section.call('dup3', [fd, number, flags(O, 'O_CLOEXEC')], { what: `pin fd ${number}` });
}
