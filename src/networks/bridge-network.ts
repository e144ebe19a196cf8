import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { listChains } from '../kernel/netlink/forward-chains.ts';
import { type LockedFile, tryLock } from '../kernel/processes/file-lock.ts';
import type { ShimBinary } from '../kernel/program/shim-binary.ts';
import { deadlineIn, poll } from '../support/deadline.ts';
import type { Home } from '../support/home.ts';
import { AddressPool, giveAddress } from './address-pool.ts';
import type { Attachment } from './attachment.ts';
import { type BridgePlan, type BridgeSockets, connectToBridge, prepareBridge } from './bridge-program.ts';
import { acceptForwarded, forwardFrom, makeChange, masqueradeSubnet, undoChange } from './host-change.ts';
import { type KeepRequest, keepNamespace } from './kept-namespace.ts';
import { type NamespaceHandle, openFromShim } from './namespace-handle.ts';
import { type NetworkFiles, type NetworkState, openNetworkFiles } from './network-state.ts';
import type { AttachRequest } from './networks.ts';
import { chooseSubnet, parseIp, parseRoutes } from './subnet.ts';

/** The network outlives its last container here by so long, because the next one often comes at once. */
const LINGER = 1000;
/** Making a network takes milliseconds; whoever holds the lock so long is stuck. */
const LOCK_TIMEOUT = 30_000;

/** A bridge with a way out, shared by all processes of a home; see bridge-program.ts for what keeps it alive. */
export class BridgeNetwork {
  readonly #home: Home;
  readonly #name: string;
  readonly #uplink: boolean;
  readonly #binary: ShimBinary;
  readonly #files: NetworkFiles;
  /** Whether the kernel does NAT for us; known when a network is made. */
  #nftables = false;
  /**
   * In the main thread only: Node does not close a descriptor of a Worker that is terminated, and this one would keep the network
   * alive. A Worker holds it until its container does.
   */
  #kept: NamespaceHandle | undefined;
  /** Addresses of this process's containers. */
  readonly #own = new Map<string, { readonly containerId: string; readonly detached: boolean }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(home: Home, { name, uplink, binary }: { name: string; uplink: boolean; binary: ShimBinary }) {
    this.#uplink = uplink;
    this.#binary = binary;
    this.#home = home;
    this.#name = name;
    this.#files = openNetworkFiles(home, name);
    // What a timer would have done a second later; a process that is killed leaves it to the next sweep.
    process.on('exit', () => {
      // Containers that nobody has stopped end with this process.
      // Those of a Worker go on, until the process ends.
      for (const [ip, { containerId, detached }] of this.#own)
        if (isMainThread && !detached) giveAddress(this.#files.addresses, { ip, containerId });
      this.#giveUp();
    });
  }

  /** While the network has to be made its lock is held until {@link Attachment.started}, so that one process makes it. */
  async attach({ containerId, wantedIp, detached, liveShims, signal }: AttachRequest): Promise<Attachment> {
    const lock = await this.#lock(signal);
    clearTimeout(this.#timer);
    try {
      const known = this.#files.read();
      const handle = known && this.#find(known, liveShims);
      const state = known === undefined || handle === undefined ? this.#design(known) : known;
      const pool = new AddressPool(this.#files.addresses, state.subnet);
      const { ip, offset } = pool.take(containerId, { last: state.lastOffset, wantedIp });
      this.#own.set(ip, { containerId, detached });
      this.#files.write({ ...state, lastOffset: offset });
      // Written down before they are made: whoever is killed in between leaves a record of what to undo.
      if (handle === undefined) for (const change of state.changes) makeChange(change);
      if (handle !== undefined) lock.release();
      const plan = this.#plan({
        containerId,
        ip,
        state,
        create: handle === undefined,
        gateway: pool.gateway,
      });
      return this.#attachment({ plan, lock, handle });
    } catch (error) {
      lock.release();
      this.#leave();
      throw error;
    }
  }

  /** What is known of its addresses; both undefined before the first container. */
  addresses(): { subnet: string | undefined; gateway: string | undefined } {
    const subnet = this.#files.read()?.subnet;
    if (subnet === undefined) return { subnet, gateway: undefined };
    const { gateway } = new AddressPool(this.#files.addresses, subnet);
    return { subnet: `${subnet.base}/${subnet.prefix}`, gateway };
  }

  /** The place of a container that is to get another process tree. */
  keep(request: KeepRequest): Attachment {
    const { containerId, detached, lent, facts } = request;
    const { close, ...kept } = keepNamespace(request);
    clearTimeout(this.#timer);
    this.#own.set(facts.ip!, { containerId, detached });
    const cancel = () => {
      close();
      if (!lent) this.release(facts.ip!, containerId);
    };
    return { ...kept, started: close, cancel };
  }

  release(ip: string, containerId: string): void {
    giveAddress(this.#files.addresses, { ip, containerId });
    if (this.#own.get(ip)?.containerId === containerId) this.#own.delete(ip);
    this.#leave();
  }

  async sweep(isAlive: (id: string) => boolean): Promise<void> {
    const lock = await this.#lock(undefined);
    try {
      const state = this.#files.read();
      if (state === undefined) return;
      if (new AddressPool(this.#files.addresses, state.subnet).sweep(isAlive) === 0) this.#undo(state);
    } finally {
      lock.release();
    }
  }

  #attachment({
    plan,
    lock,
    handle,
  }: {
    plan: BridgePlan;
    lock: LockedFile;
    handle: NamespaceHandle | undefined;
  }): Attachment {
    let sockets: BridgeSockets | undefined;
    return {
      facts: {
        networkName: this.#name,
        ip: plan.ip,
        prefix: plan.prefix,
        gateway: plan.uplink === undefined ? undefined : plan.gateway,
        mac: plan.mac,
      },
      fds:
        handle === undefined
          ? {}
          : { network: handle.fd, ...(handle.firewall === undefined ? {} : { firewall: handle.firewall }) },
      steps: {
        host: false,
        prepare: (shim) => {
          sockets = prepareBridge(shim, plan);
        },
        connect: (shim) => connectToBridge(shim, sockets!, plan),
      },
      started: (shimPid) => {
        if (!isMainThread) handle?.close();
        if (!plan.create) return;
        const made = openFromShim(shimPid);
        if (isMainThread) this.#keep(made);
        else made?.close();
        this.#files.write({ ...this.#files.read()!, inode: made?.inode });
        lock.release();
      },
      cancel: () => {
        if (!isMainThread) handle?.close();
        if (plan.create) lock.release();
        this.release(plan.ip, plan.containerId);
      },
    };
  }

  /** The namespace, from this process or from any shim that is on the network. */
  #find(
    state: NetworkState,
    liveShims: () => Iterable<{ readonly pid: number }>,
  ): NamespaceHandle | undefined {
    const { inode, uplink } = state;
    // Its maker was killed before it could write the inode down; a detached container may live on it nevertheless.
    if (inode === undefined && !existsSync(`/sys/class/net/${uplink}`)) return undefined;
    if (inode !== undefined && this.#kept?.inode === inode) return this.#kept;
    for (const { pid } of liveShims()) {
      const handle = openFromShim(pid, inode);
      if (handle === undefined) continue;
      if (isMainThread) this.#keep(handle);
      if (inode === undefined) this.#files.write({ ...state, inode: handle.inode });
      return handle;
    }
    return undefined;
  }

  /** A network that is about to be made: its subnet, its name on the host, and what the host has to allow. */
  #design(previous: NetworkState | undefined): NetworkState {
    if (previous !== undefined) this.#undo(previous);
    const { subnets, defaultDevice } = parseRoutes(readFileSync('/proc/net/route', 'latin1'));
    const subnet = chooseSubnet(subnets, this.#home.root);
    const lastOffset = previous?.lastOffset ?? 1;
    if (!this.#uplink) return { subnet, uplink: undefined, inode: undefined, lastOffset, changes: [] };
    // Never the name of the last one, which the kernel may still be taking away.
    const uplink = `mf-${randomBytes(3).toString('hex')}`;
    const forward = defaultDevice === undefined ? undefined : forwardFrom(defaultDevice);
    const chains = listChains();
    this.#nftables = chains !== undefined;
    const changes = [...(forward === undefined ? [] : [forward]), ...acceptForwarded(uplink, chains ?? [])];
    if (!this.#nftables) changes.push(masqueradeSubnet(`${subnet.base}/${subnet.prefix}`, uplink));
    return { subnet, uplink, inode: undefined, lastOffset, changes };
  }

  #plan(known: {
    containerId: string;
    ip: string;
    state: NetworkState;
    create: boolean;
    gateway: string;
  }): BridgePlan {
    const { containerId, ip, state, create, gateway } = known;
    const hex = parseIp(ip).toString(16).padStart(8, '0');
    return {
      containerId,
      // Never the name of its last one, which the kernel may still be taking away.
      port: `v${randomBytes(6).toString('hex')}`,
      ip,
      gateway,
      create,
      prefix: state.subnet.prefix,
      // Docker's scheme: locally administered, and the address itself.
      mac: `02:42:${hex.match(/../g)!.join(':')}`,
      uplink: state.uplink,
      base: state.subnet.base,
      nftables: this.#nftables,
    };
  }

  #lock(signal: AbortSignal | undefined): Promise<LockedFile> {
    return poll(() => tryLock(this.#files.lock), {
      deadline: deadlineIn(LOCK_TIMEOUT),
      signal,
      what: 'the lock on the network',
    });
  }

  /** One timer at most: an older one would let go of what a container that has come meanwhile is about to use. */
  #leave(): void {
    clearTimeout(this.#timer);
    if (this.#own.size === 0) this.#timer = setTimeout(() => this.#giveUp(), LINGER).unref();
  }

  #keep(handle: NamespaceHandle | undefined): void {
    this.#kept?.end(this.#binary);
    this.#kept = handle;
  }

  /** Closes the last hold that this process has on the network. */
  #giveUp(): void {
    const lock = this.#lockAtOnce();
    try {
      const state = lock && this.#files.read();
      if (state !== undefined && readdirSync(this.#files.addresses).length === 0) this.#undo(state);
    } finally {
      lock?.release();
      this.#keep(undefined);
    }
  }

  /** Undefined when somebody is about to use the network, and when the home has been removed meanwhile. */
  #lockAtOnce(): LockedFile | undefined {
    try {
      return tryLock(this.#files.lock);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #undo(state: NetworkState): void {
    if (state.changes.length === 0) return;
    // Over what another process has the end of: that of a socket on which rules have been removed takes as long as that of one with tables.
    const over = this.#kept?.exchange;
    for (const change of state.changes.toReversed()) undoChange(change, over);
    this.#files.write({ ...state, changes: [] });
  }
}
