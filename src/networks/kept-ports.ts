import { readFileSync } from 'node:fs';
import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { FIRST_FREE_FD } from '../kernel/program/abi.ts';
import { MayflyError } from '../support/error.ts';
import { copyDescriptor } from './namespace-handle.ts';
import type { Publication, PublishedPort } from './publish.ts';

/**
 * The listening sockets of a running container's forwarder, so that the next one listens on without a gap: who connects meanwhile
 * waits. `shimPid` and `initPid` are the container's.
 *
 * @throws MayflyError `network.forwarder-gone`
 */
export function keepPorts(
  ports: readonly PublishedPort[],
  { shimPid, initPid }: { shimPid: number; initPid: number },
): Publication {
  const listeners: { fd: number; container: number }[] = [];
  const close = () => {
    for (const { fd } of listeners.splice(0)) closeDescriptor(fd);
  };
  if (ports.length > 0) {
    const forwarder = childrenOf(shimPid).find((pid) => pid !== initPid);
    for (const container of ports.flatMap(({ container, hostIps }) => hostIps.map(() => container))) {
      // The forwarder has nothing but these, in the order of the ports (runtime/compile/forwarder.ts).
      const fd = forwarder && copyDescriptor(forwarder, FIRST_FREE_FD + listeners.length);
      if (fd === undefined) {
        close();
        throw new MayflyError('network.forwarder-gone', 'what listened on the published ports has ended', {
          hint: 'stop the container and start another one',
        });
      }
      listeners.push({ fd, container });
    }
  }
  return { ports, listeners, [Symbol.dispose]: close };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
}
