import { constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import { closeDescriptor, openDescriptor } from '../../kernel/ffi/descriptor.ts';
import { connectTo } from '../../kernel/sockets/unix.ts';
import type { ContainerParts } from '../container-parts.ts';
import { requireRunning } from '../running.ts';
import { AttachedStreams } from './attached-streams.ts';

// <fcntl.h>
const O_PATH = 0o10000000;

/**
 * The streams of a running container's first process, from now on. It does not wait for who does not read.
 *
 * @throws ContainerError `container.exited`; SystemError
 */
export async function attachToContainer(parts: ContainerParts): Promise<AttachedStreams> {
  await requireRunning(parts, 'attaching to it');
  const path = parts.record.spec.attach;
  // By way of the directory, because a socket's path has 107 bytes at most.
  const directory = openDescriptor(dirname(path), O_PATH | constants.O_DIRECTORY);
  try {
    return new AttachedStreams(connectTo(`/proc/self/fd/${directory}/${basename(path)}`));
  } finally {
    closeDescriptor(directory);
  }
}
