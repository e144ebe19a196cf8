import { syscall } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';

// <asm-generic/ioctls.h>
const IOCTL = { TCGETS: 0x5401, TCSETSW: 0x5403, TIOCGWINSZ: 0x5413 } as const;

// <asm-generic/termbits.h>, struct termios: four words of flags, the line discipline, 19 control characters.
const TERMIOS_SIZE = 36;
const OFFSET = { iflag: 0, oflag: 4, cflag: 8, lflag: 12, cc: 17 } as const;
const CC = { VTIME: 5, VMIN: 6 } as const;
const IFLAGS = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000; // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
const OPOST = 0o1;
const LFLAGS = 0o1 | 0o2 | 0o10 | 0o100 | 0o100000; // ISIG ICANON ECHO ECHONL IEXTEN
const CSIZE = 0o60;
const PARENB = 0o400;
const CS8 = 0o60;

/** The size of the terminal that a descriptor of this process is; undefined when it is none. */
export function windowSize(fd: number): { columns: number; rows: number } | undefined {
  const size = Buffer.alloc(8);
  if (!tryIoctl(fd, 'TIOCGWINSZ', size)) return undefined;
  return { rows: size.readUInt16LE(0), columns: size.readUInt16LE(2) };
}

/**
 * Passes on every key as it is pressed, and shows every byte as it comes: cfmakeraw(3). Node's own raw mode goes on making `\r\n` of
 * `\n`, which spoils what another terminal has made ready.
 *
 * Result: has it be again what it was before. Undefined when the descriptor is no terminal.
 */
export function makeRaw(fd: number): (() => void) | undefined {
  const before = Buffer.alloc(TERMIOS_SIZE);
  if (!tryIoctl(fd, 'TCGETS', before)) return undefined;
  const raw = Buffer.from(before);
  const change = (at: number, clear: number, set = 0) =>
    raw.writeUInt32LE(((raw.readUInt32LE(at) & ~clear) | set) >>> 0, at);
  change(OFFSET.iflag, IFLAGS);
  change(OFFSET.oflag, OPOST);
  change(OFFSET.lflag, LFLAGS);
  change(OFFSET.cflag, CSIZE | PARENB, CS8);
  raw[OFFSET.cc + CC.VMIN] = 1;
  raw[OFFSET.cc + CC.VTIME] = 0;
  tryIoctl(fd, 'TCSETSW', raw);
  return () => void tryIoctl(fd, 'TCSETSW', before);
}

/** False for what is no terminal, or no longer one: its other end may be gone. */
function tryIoctl(fd: number, request: keyof typeof IOCTL, bytes: Buffer): boolean {
  const number = syscallNumber(process.arch as Architecture, 'ioctl')!;
  try {
    syscall(number, [fd, IOCTL[request], bytes], `${request} on descriptor ${fd}`);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTTY', 'EIO', 'EBADF', 'ENODEV', 'EINVAL')) return false;
    throw error;
  }
}
