import { closeDescriptor } from '../ffi/descriptor.ts';
import { call } from '../ffi/libc.ts';

const O_CLOEXEC = 0o2000000;

export interface Pipe {
  readonly read: number;
  readonly write: number;
}

export function openPipe(): Pipe {
  const pair = new Int32Array(2);
  call('pipe2', [pair, O_CLOEXEC], 'create a pipe');
  return { read: pair[0]!, write: pair[1]! };
}

/** Runs `use` with descriptors that are then no longer needed here: a child has its copies, or will never be. */
export function closingAfter<T>(descriptors: readonly number[], use: () => T): T {
  try {
    return use();
  } finally {
    for (const fd of descriptors) closeDescriptor(fd);
  }
}
