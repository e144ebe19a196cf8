import { closeDescriptor } from '../ffi/descriptor.ts';
import { reapLater } from '../ffi/libc.ts';
import { isErrno } from '../ffi/system-error.ts';
import type { ShimBinary } from '../program/shim-binary.ts';
import { closingAfter, openPipe } from './pipe.ts';
import { spawnProcess } from './spawn.ts';

/**
 * Closes descriptors that the kernel takes long to let go of, such as 10 ms for a socket that owns tables of nftables, where it waits for
 * all CPUs (nft_rcv_nl_event). A process of its own has them last, a shim without a program, which ends at once and for which nobody waits.
 * Of this process even a thread would not do: a process ends when its last thread has.
 */
export function closeElsewhere(fds: readonly number[], binary: ShimBinary): void {
  // It waits for the end of its control socket, which is that of this pipe. Nor does it have our output, whose reader waits for the last
  // who has it.
  const { read, write } = openPipe();
  const held = [read, read, read, read, ...fds].map((fd, i) => [i, fd] as const);
  try {
    const spawn = { program: binary.fd, argv: ['mayfly-shim', 'closing'], fds: new Map(held) };
    reapLater(closingAfter([read], () => spawnProcess(spawn)));
  } catch (error) {
    // No process can be had: then it takes its time here.
    if (!isErrno(error, 'EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE')) throw error;
  } finally {
    // In this order, so that ours are not the last.
    for (const fd of [...fds, write]) closeDescriptor(fd);
  }
}
