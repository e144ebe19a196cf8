import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { closeDescriptor } from '../../../src/kernel/ffi/descriptor.ts';
import { isErrno } from '../../../src/kernel/ffi/system-error.ts';
import { closeElsewhere } from '../../../src/kernel/processes/close-elsewhere.ts';
import { openPipe } from '../../../src/kernel/processes/pipe.ts';
import { openShimBinary } from '../../../src/kernel/program/shim-binary.ts';

const descriptors = () => readdirSync('/proc/self/fd').length;

/** Children of this process that close something, or have. */
const closing = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      const [, parent] = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!;
      if (Number(parent) !== process.pid) return false;
      // A zombie has no command line any longer.
      const [, state] = /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!;
      return state === 'Z' || readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('closing');
    } catch (error) {
      if (error instanceof TypeError || isErrno(error, 'ENOENT', 'ESRCH', 'ENOTDIR')) return false;
      throw error;
    }
  });

test('descriptors are closed by a process that is gone, and reaped, a little later', async () => {
  const binary = openShimBinary();
  const before = descriptors();
  const pipes = [openPipe(), openPipe()];
  const readers = pipes.map(({ read }) => new Socket({ fd: read, readable: true, writable: false }).resume());
  const ends = readers.map((reader) => new Promise((resolve) => reader.once('close', resolve)));
  closeElsewhere(
    pipes.map(({ write }) => write),
    binary,
  );
  await Promise.all(ends);
  await expect.poll(closing).toEqual([]);
  expect(descriptors()).toBe(before);
  closeDescriptor(binary.fd);
});

test('they are closed as well when the process cannot be started', async () => {
  const { read, write } = openPipe();
  const reader = new Socket({ fd: read, readable: true, writable: false }).resume();
  const ended = new Promise((resolve) => reader.once('close', resolve));
  const none = openPipe();
  expect(() => closeElsewhere([write], { fd: none.read })).toThrow(/spawn/);
  await ended;
  for (const fd of [none.read, none.write]) closeDescriptor(fd);
});
