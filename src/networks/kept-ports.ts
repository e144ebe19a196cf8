import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { FIRST_FREE_FD } from '../kernel/program/abi.ts';
import { findForwarder, forwarderGone, type Supervisors } from './forwarder-process.ts';
import { copyDescriptor } from './namespace-handle.ts';
import type { Publication, PublishedPort } from './publish.ts';

/**
 * The listening sockets of a running container's forwarder, so that the next one listens on without a gap: who connects meanwhile
 * waits.
 *
 * @throws MayflyError `network.forwarder-gone`
 */
export function keepPorts(ports: readonly PublishedPort[], supervisors: Supervisors): Publication {
  const listeners: { fd: number; container: number }[] = [];
  const close = () => {
    for (const { fd } of listeners.splice(0)) closeDescriptor(fd);
  };
  if (ports.length > 0) {
    const forwarder = findForwarder(supervisors);
    for (const container of ports.flatMap(({ container, hostIps }) => hostIps.map(() => container))) {
      // The forwarder has nothing but these, in the order of the ports (runtime/compile/forwarder.ts).
      const fd = copyDescriptor(forwarder, FIRST_FREE_FD + listeners.length);
      if (fd === undefined) {
        close();
        throw forwarderGone();
      }
      listeners.push({ fd, container });
    }
  }
  return { ports, listeners, [Symbol.dispose]: close };
}
