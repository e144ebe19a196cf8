import { SystemError } from '../ffi/system-error.ts';
import { AT_FDCWD, CLONE, type NamespaceFlag, O } from '../mounts/flags.ts';
import { flags, ProgramBuilder, type SectionBuilder } from '../program/builder.ts';
import type { Program } from '../program/instruction.ts';

/** What came of trying something. */
export type Outcome = { readonly works: true } | Failure;

export interface Failure {
  readonly works: false;
  /** What was being done, in words. */
  readonly step: string;
  /** `EPERM` */
  readonly errno: string;
}

export const WORKS: Outcome = { works: true };

/** A system call that failed in this process, ours or Node's, as the outcome of what was tried. @throws anything else */
export function failureOf(error: unknown): Failure {
  if (error instanceof SystemError) return { works: false, step: error.what, errno: error.errno };
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return { works: false, step: path === undefined ? syscall : `${syscall} ${path}`, errno: code };
}

/**
 * A program that tries something in namespaces that end with it: whatever it mounts or makes in there is gone when it is
 * over, however that comes about.
 */
export function throwaway(
  namespaces: readonly NamespaceFlag[],
  write: (section: SectionBuilder) => void,
): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const child = program.section('probe', 'payload');
  shim.clone(child, flags(CLONE, ...namespaces), { what: 'make namespaces' });
  write(child);
  child.call('exit_group', [0], { what: 'end' });
  return program.build();
}

/** Makes this user root of the new user namespace that the section runs in (user_namespaces(7)). */
export function becomeNamespaceRoot(
  section: SectionBuilder,
  { uid, gid }: { uid: number; gid: number },
): void {
  for (const [file, text] of [
    ['setgroups', 'deny'],
    ['uid_map', `0 ${uid} 1`],
    ['gid_map', `0 ${gid} 1`],
  ] as const) {
    const fd = section.call(
      'openat',
      [AT_FDCWD, `/proc/self/${file}`, flags(O, 'O_WRONLY', 'O_CLOEXEC'), 0],
      {
        what: `open /proc/self/${file}`,
      },
    );
    section.call('write', [fd, text, text.length], { what: `write ${JSON.stringify(text)} to ${file}` });
  }
}
