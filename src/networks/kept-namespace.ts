import { closeDescriptor, openDescriptor } from '../kernel/ffi/descriptor.ts';
import { O } from '../kernel/mounts/flags.ts';
import { FDS } from '../kernel/program/abi.ts';
import type { Attachment, AttachmentFacts } from './attachment.ts';
import { copySocket } from './namespace-access.ts';
import { openFromShim } from './namespace-handle.ts';

/** Whose place on a network is to be kept. */
export interface KeepRequest {
  readonly containerId: string;
  readonly facts: AttachmentFacts;
  /** The container goes on having its address when the attachment is cancelled. */
  readonly lent: boolean;
  /** The address may outlive this process. */
  readonly detached: boolean;
  /** The container's shim and a process in its network namespace, which both run. */
  readonly shimPid: number;
  readonly pid: number;
}

/**
 * The network namespace of a running container, held open so that its next process tree can enter it: interfaces, address and
 * routes stay as they are, and so does the network that they lead to.
 *
 * @throws Error ENOENT when the container has ended
 */
export function keepNamespace({ facts, shimPid, pid }: KeepRequest): Pick<
  Attachment,
  'facts' | 'fds' | 'steps'
> & {
  /** Twice is no error. */
  close(): void;
} {
  const netns = openDescriptor(`/proc/${pid}/ns/net`, O.O_RDONLY | O.O_CLOEXEC);
  const network = openFromShim(shimPid);
  const interfaces = copySocket(shimPid, FDS.interfaces);
  const connections = copySocket(shimPid, FDS.connections);
  let open = true;
  return {
    facts,
    fds: {
      netns,
      ...(network === undefined ? {} : { network: network.fd }),
      ...(interfaces === undefined ? {} : { interfaces }),
      ...(connections === undefined ? {} : { connections }),
      ...(network?.firewall === undefined ? {} : { firewall: network.firewall }),
    },
    steps: {
      host: false,
      prepare: () => {},
      connect: (shim) => {
        shim.call('close', [FDS.netns], { what: "let go of the container's namespace" });
      },
    },
    close() {
      if (!open) return;
      open = false;
      for (const fd of [netns, interfaces, connections]) if (fd !== undefined) closeDescriptor(fd);
      network?.close();
    },
  };
}
