import { AT_FDCWD, O, RESOLVE } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, octal, type SectionBuilder, struct } from '../../kernel/program/builder.ts';
import type { OperandLike, Result } from '../../kernel/program/instruction.ts';
import type { TerminalSize } from '../spec/container-spec.ts';
import { pin } from './host-file.ts';

// <asm-generic/ioctls.h>
const IOCTL = {
  TIOCSCTTY: 0x540e,
  TIOCSWINSZ: 0x5414,
  TIOCSPTLCK: 0x4004_5431,
  TIOCGPTPEER: 0x5441,
} as const;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const OPEN_HOW_SIZE = 24;

const MASTER_FLAGS = ['O_RDWR', 'O_NOCTTY', 'O_NONBLOCK', 'O_CLOEXEC'] as const;

/** Opens the multiplexer of a devpts that we have mounted. Result: a terminal's master. */
export function openMaster(section: SectionBuilder, devpts: Result): Result {
  return section.call('openat', [devpts, 'ptmx', flags(O, ...MASTER_FLAGS), 0], { what: 'open a terminal' });
}

/**
 * The same in a container that has been running. Links are refused, and what is no multiplexer refuses the next ioctl, whoever
 * has put it there.
 */
export function openMasterInContainer(section: SectionBuilder): Result {
  const how = struct([
    flags(O, ...MASTER_FLAGS),
    octal(0),
    flags(RESOLVE, 'RESOLVE_NO_SYMLINKS', 'RESOLVE_NO_MAGICLINKS'),
  ]);
  return section.call('openat2', [AT_FDCWD, '/dev/pts/ptmx', how, OPEN_HOW_SIZE], {
    what: 'open a terminal',
  });
}

/**
 * Makes a terminal the stdin, stdout and stderr of what is cloned or executed from here, and hands its master to the shim.
 * Result: the slave, which is got from the master and by no path that anybody could have redirected (CVE-2025-52565).
 */
export function useTerminal(section: SectionBuilder, master: Result, size: TerminalSize): Result {
  section.call('ioctl', [master, flags(IOCTL, 'TIOCSPTLCK'), struct([0], '[0]')], {
    what: 'unlock the terminal',
  });
  const slave = section.call(
    'ioctl',
    [master, flags(IOCTL, 'TIOCGPTPEER'), flags(O, 'O_RDWR', 'O_NOCTTY', 'O_CLOEXEC')],
    { what: 'open the other side of the terminal' },
  );
  section.call('ioctl', [master, flags(IOCTL, 'TIOCSWINSZ'), encodeSize(size)], {
    what: 'set the size of the terminal',
  });
  for (const fd of [FDS.stdin, FDS.stdout, FDS.stderr]) pin(section, fd, slave);
  handOver(section, master);
  return slave;
}

/** struct winsize: u16 rows, u16 columns, and their size in pixels, which nobody knows. */
function encodeSize({ rows, columns }: TerminalSize): OperandLike {
  return struct([rows + columns * 2 ** 16], `{${rows} rows, ${columns} columns}`);
}

/** A descriptor that has to have a fixed number, as the message is data: SCM_RIGHTS, unix(7). */
function handOver(section: SectionBuilder, master: Result): void {
  pin(section, FDS.input, master);
  const part = struct([Uint8Array.of(0), 1], '{1 byte}');
  // struct cmsghdr with one int, which is all of 20 bytes long.
  const control = struct([20, SOL_SOCKET + SCM_RIGHTS * 2 ** 32, FDS.input], `{SCM_RIGHTS, [${FDS.input}]}`);
  const message = struct([0, 0, part, 1, control, 24, 0], `{${FDS.input} goes along}`);
  section.call('sendmsg', [FDS.handover, message, 0], { what: 'hand the terminal over' });
}

/** In the payload, which has just begun a session: ^C and the like reach it from now on. */
export function takeTerminal(section: SectionBuilder, owner: number): void {
  // Programs open /dev/tty and the terminal's own name anew.
  section.call('fchown', [0, owner, -1], { what: `give the terminal to user ${owner}` });
  section.call('ioctl', [0, flags(IOCTL, 'TIOCSCTTY'), 0], { what: 'make it the controlling terminal' });
}
