import { CLONE } from '../../kernel/mounts/flags.ts';
import { FDS, FIRST_FREE_FD } from '../../kernel/program/abi.ts';
import { flags, type SectionBuilder } from '../../kernel/program/builder.ts';
import { encodeEndpoint } from '../../kernel/sockets/address.ts';
import type { ForwardSpec } from '../spec/container-spec.ts';
import { setCapabilities } from './set-capabilities.ts';

/**
 * The process that takes connections to the host's ports into the container. It needs neither this process nor the
 * container's goodwill, and it ends with the shim.
 *
 * In the shim after the network has been prepared; the launcher passes the listening sockets, and the way to others.
 */
export function cloneForwarder(
  shim: SectionBuilder,
  { forwarder, spec }: { forwarder: SectionBuilder; spec: ForwardSpec },
): void {
  const last = FIRST_FREE_FD + spec.ports.length - (spec.adopts ? 0 : 1);
  shim.clone(forwarder, flags(CLONE), { what: 'clone the forwarder' });
  // The forwarder's alone, so that nobody can connect any longer once it has gone.
  shim.call('close_range', [FIRST_FREE_FD, last, 0], { what: 'let go of the listening sockets' });
}

/** The forwarder's own section. */
export function serveForwarder(forwarder: SectionBuilder, spec: ForwardSpec): void {
  forwarder.call('setns', [FDS.netns, flags(CLONE, 'CLONE_NEWNET')], { what: 'enter the network namespace' });
  // It has all the descriptors that it will ever need.
  setCapabilities(forwarder, 0n);
  const rules = spec.ports.map((port, i) => ({
    listener: FIRST_FREE_FD + i,
    address: encodeEndpoint({ host: spec.address, port }),
  }));
  forwarder.forward(rules, {
    what: `forward to ${spec.address}, ports ${[...new Set(spec.ports)].join(', ')}`,
    adoption: spec.adopts ? FIRST_FREE_FD + spec.ports.length : undefined,
  });
}
