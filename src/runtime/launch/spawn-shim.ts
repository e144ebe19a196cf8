import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { reap } from '../../kernel/ffi/libc.ts';
import { type HeldDescriptor, holdDescriptor } from '../../kernel/processes/held-descriptor.ts';
import { spawnProcess } from '../../kernel/processes/spawn.ts';
import { FDS, FIRST_FREE_FD, FRAMES } from '../../kernel/program/abi.ts';
import { encode } from '../../kernel/program/encode.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { openSocketPair } from '../../kernel/sockets/unix.ts';
import type { Architecture } from '../../kernel/syscalls/numbers.ts';
import { debugLog } from '../../support/debug.ts';
import { encodeFrame } from './frame-reader.ts';

const debug = debugLog('shim');

export interface SpawnShimOptions {
  readonly binary: ShimBinary;
  /** Called once the shim is on its way, so that the two do not wait for each other; nothing runs before it returns. */
  readonly compile: (shimPid: number, held: HeldDescriptor | undefined) => Program;
  /** True: what a Worker starts goes on when the Worker ends, until the process does. Default: false. */
  readonly outlivesThread?: boolean;
  /** Descriptors to hand over, by the meaning they have in the shim. They stay open here. */
  readonly fds: Partial<Record<keyof typeof FDS, number>>;
  /** Descriptors that only the program knows the meaning of, in the order of its `passed`. They stay open here. */
  readonly passed?: readonly number[];
  /** Second word of the shim's command line, for people who look at `ps`. */
  readonly label: string;
}

export interface SpawnedShim {
  readonly pid: number;
  /** Our end of the control socket; the caller's to close, which ends the shim. */
  readonly control: number;
  readonly program: Program;
  /** A second descriptor of the socket, the caller's to close as well. */
  readonly held: HeldDescriptor | undefined;
}

/** Starts a shim and gives it its program. The caller reaps it. @throws SystemError, and what `compile` throws */
export function spawnShim(options: SpawnShimOptions): SpawnedShim {
  const { binary, compile, fds, passed = [], label, outlivesThread = false } = options;
  const [ours, theirs] = openSocketPair('the control socket');
  const held = outlivesThread && !isMainThread ? holdDescriptor(ours) : undefined;
  let pid: number | undefined;
  try {
    const map = new Map([[FDS.control as number, theirs]]);
    for (const [name, fd] of Object.entries(fds)) map.set(FDS[name as keyof typeof FDS], fd);
    for (const [i, fd] of passed.entries()) map.set(FIRST_FREE_FD + i, fd);
    pid = spawnProcess({ program: binary.fd, argv: ['mayfly-shim', label], fds: map });
    debug('shim %d is for %s', pid, label);
    const program = { ...compile(pid, held), passed: passed.length };
    // At once and synchronously: the shim reads as we write, however long the program and however busy our event loop.
    writeWhole(ours, encodeFrame(FRAMES.program, encode(program, process.arch as Architecture)));
    return { pid, control: ours, program, held };
  } catch (error) {
    // End of file ends a shim that has been given no program.
    closeDescriptor(ours);
    if (held !== undefined) closeDescriptor(held.fd);
    if (pid !== undefined) reap(pid);
    throw error;
  } finally {
    closeDescriptor(theirs);
  }
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
