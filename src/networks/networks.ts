import { CLONE } from '../kernel/mounts/flags.ts';
import { flags } from '../kernel/program/builder.ts';
import type { Result } from '../kernel/program/instruction.ts';
import type { ShimBinary } from '../kernel/program/shim-binary.ts';
import type { Home } from '../support/home.ts';
import type { Attachment, AttachmentFacts } from './attachment.ts';
import { BridgeNetwork } from './bridge-network.ts';
import { connectLoopback, openContainerNamespace, openNamespace } from './bridge-program.ts';
import { type KeepRequest, keepNamespace } from './kept-namespace.ts';
import { type AddressMove, moveAddress } from './move-address.ts';
import { enterNamespace, useSocketsOf } from './namespace-access.ts';
import { type StillProcesses, vacate } from './vacate.ts';

export interface AttachRequest {
  readonly network: 'default' | 'none' | 'host';
  readonly containerId: string;
  /** The address to have if it is free; for a container that had it before. */
  readonly wantedIp?: string | undefined;
  /** The address may outlive this process. */
  readonly detached: boolean;
  /** Shims of all living containers of this home. */
  readonly liveShims: () => Iterable<{ readonly pid: number }>;
  readonly signal: AbortSignal | undefined;
}

export interface NetworksOptions {
  /** Whether the bridge leads out by way of the host, which takes root. */
  readonly uplink: boolean;
  /** Has the end of a network to itself. */
  readonly binary: ShimBinary;
}

/** A network as it is described to people. */
export interface NetworkDescription {
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  /** `10.64.16.0/20`; undefined where nobody has been on the network yet, and where it has no addresses. */
  readonly subnet: string | undefined;
  readonly gateway: string | undefined;
}

/** The networks of one home, as one process sees them. */
export interface Networks {
  /** All that there are, as they are on disk. */
  list(): readonly NetworkDescription[];
  /** @throws MayflyError `network.*` */
  attach(request: AttachRequest): Promise<Attachment>;
  /**
   * The place of a running container for its next process tree, which it passes on to without a change.
   *
   * @throws Error ENOENT when the container has ended
   */
  keep(request: KeepRequest): Attachment;
  /** Gives the address of one container of a network to another one. */
  moveAddress(move: AddressMove): void;
  /**
   * Takes from a container's processes what they have in its network namespace; see {@link vacate}.
   *
   * @throws SystemError
   */
  vacate(processes: StillProcesses): boolean;
  /** Gives back what a container that has ended had, whichever process attached it. Twice is no error. */
  release(facts: AttachmentFacts, containerId: string): void;
  /** Gives back what dead containers had of addresses, and of changes to the host when no container is left. */
  sweep(isAlive: (id: string) => boolean): Promise<void>;
}

export function openNetworks(home: Home, { uplink, binary }: NetworksOptions): Networks {
  const bridge = new BridgeNetwork(home, { name: 'default', uplink, binary });
  const without = { subnet: undefined, gateway: undefined };
  return {
    list: () => [
      { name: 'default', driver: 'bridge', ...bridge.addresses() },
      { name: 'host', driver: 'host', ...without },
      { name: 'none', driver: 'null', ...without },
    ],
    async attach(request) {
      if (request.network === 'default') return bridge.attach(request);
      return withoutAddress(request.network, uplink);
    },
    keep(request) {
      const { networkName } = request.facts;
      if (networkName === 'default') return bridge.keep(request);
      if (networkName === 'host') return withoutAddress('host', uplink);
      const { close, ...kept } = keepNamespace(request);
      return { ...kept, started: close, cancel: close };
    },
    moveAddress: (move) => moveAddress(move, uplink ? enterNamespace : useSocketsOf),
    vacate(processes) {
      // Nobody else may enter it.
      if (!uplink) return false;
      using access = enterNamespace(processes);
      return vacate(processes, access);
    },
    release: ({ networkName, ip }, containerId) => {
      if (networkName === 'default' && ip !== undefined) bridge.release(ip, containerId);
    },
    sweep: (isAlive) => bridge.sweep(isAlive),
  };
}

function withoutAddress(network: 'none' | 'host', mayReturn: boolean): Attachment {
  const host = network === 'host';
  let own: Result | undefined;
  return {
    facts: { networkName: network, ip: undefined, prefix: undefined, gateway: undefined, mac: undefined },
    fds: {},
    steps: {
      host,
      prepare: (shim) => {
        if (host) return;
        const outside = mayReturn ? openNamespace(shim) : undefined;
        own = openContainerNamespace(shim);
        if (outside !== undefined)
          shim.call('setns', [outside, flags(CLONE, 'CLONE_NEWNET')], { what: 'return to the host' });
      },
      connect: (shim) => {
        if (own !== undefined) connectLoopback(shim, own);
      },
    },
    started: () => {},
    cancel: () => {},
  };
}
