import { constants } from 'node:os';
import { MayflyError } from '../../support/error.ts';

/** The name of an error number: 28 -> `ENOSPC`. Numbers are those of asm-generic/errno.h on x86-64 and arm64. */
export type ErrnoName = keyof typeof constants.errno | 'ENOTUNIQ' | 'ENOMEDIUM' | 'ESHUTDOWN';

/** Two names of one number: the first is the one that the kernel's headers use. */
const names = new Map<number, string>(
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, value]) => [value, name]),
);

export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

export function errnoNumber(name: string): number {
  const value = (constants.errno as Record<string, number>)[name];
  if (value === undefined) throw new RangeError(`no such errno: ${name}`);
  return value;
}

/** A system call that failed in this process. `code` is `kernel.system-call`; `errno` has the error's name. */
export class SystemError extends MayflyError {
  readonly operation: string;
  readonly errno: string;
  readonly what: string;

  constructor(operation: string, errno: number, what: string, hint?: string) {
    const name = errnoName(errno);
    super('kernel.system-call', `${what} failed: ${name} (${operation})`, hint === undefined ? {} : { hint });
    this.operation = operation;
    this.errno = name;
    this.what = what;
  }
}

/** True when `value` is a failed system call with one of these errors, under whichever of its names; Node's count too. */
export function isErrno(value: unknown, ...expected: string[]): boolean {
  const name =
    value instanceof SystemError ? value.errno : (value as NodeJS.ErrnoException | undefined)?.code;
  const numbers = constants.errno as Readonly<Record<string, number>>;
  const number = numbers[name ?? ''];
  return number !== undefined && expected.some((other) => numbers[other] === number);
}
