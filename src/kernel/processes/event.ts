import { writeSync } from 'node:fs';
import { closeDescriptor } from '../ffi/descriptor.ts';
import { syscall } from '../ffi/libc.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';

// <sys/eventfd.h>
const EFD_CLOEXEC = 0o2000000;
/** What an eventfd counts up by. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

/** An eventfd(2): who reads it waits until it has been given, and waits for ever when whoever could give it has gone. */
export class Event implements Disposable {
  readonly fd: number;
  #isOpen = true;

  constructor() {
    const number = syscallNumber(process.arch as Architecture, 'eventfd2')!;
    this.fd = syscall(number, [0, EFD_CLOEXEC], 'make an event');
  }

  give(): void {
    writeSync(this.fd, ONE);
  }

  /** Twice is no error. */
  [Symbol.dispose](): void {
    if (this.#isOpen) closeDescriptor(this.fd);
    this.#isOpen = false;
  }
}
