import { syscall } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';

/** What programs are made of, with the kernel that brought it; each with arguments that it can only refuse. */
const NEWER_CALLS: Readonly<Record<string, { readonly since: string; readonly args: readonly number[] }>> = {
  open_tree: { since: '5.2', args: [-1, 0, 0xffff_ffff] },
  move_mount: { since: '5.2', args: [-1, 0, -1, 0, 0xffff_ffff] },
  fsopen: { since: '5.2', args: [0, 0xffff_ffff] },
  fsconfig: { since: '5.2', args: [-1, 0xffff_ffff] },
  fsmount: { since: '5.2', args: [-1, 0xffff_ffff] },
  clone3: { since: '5.3', args: [0, 0] },
  pidfd_open: { since: '5.3', args: [-1, 0] },
  pidfd_getfd: { since: '5.6', args: [-1, -1, 0] },
  openat2: { since: '5.6', args: [-1, 0, 0, 0] },
  close_range: { since: '5.9', args: [1, 0, 0] },
  mount_setattr: { since: '5.12', args: [-1, 0, 0, 0, 0] },
};

/** The calls that this kernel lacks, or that a filter denies as if it did: `mount_setattr (Linux 5.12)`. */
export function missingSystemCalls(): string[] {
  return Object.entries(NEWER_CALLS)
    .filter(([name, { args }]) => isMissing(syscallNumber(process.arch as Architecture, name)!, args))
    .map(([name, { since }]) => `${name} (Linux ${since})`);
}

function isMissing(number: number, args: readonly number[]): boolean {
  try {
    syscall(number, args, 'try a system call');
    return false;
  } catch (error) {
    return isErrno(error, 'ENOSYS');
  }
}
