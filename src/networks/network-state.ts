import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeJson } from '../files/json-file.ts';
import type { Home } from '../support/home.ts';
import type { HostChange } from './host-change.ts';
import type { Subnet } from './subnet.ts';

/** What all processes of a home know of one network; `state.json` in its directory, written under its lock. */
export interface NetworkState {
  readonly subnet: Subnet;
  /** Name of the interface in the host; undefined for a network without a way out. */
  readonly uplink: string | undefined;
  /** Inode of the bridge's network namespace: a descriptor found elsewhere is the right one when it has it. */
  readonly inode: number | undefined;
  /** Offset of the address that was given last. */
  readonly lastOffset: number;
  /** What was changed on the host for this network and has to be undone with it. */
  readonly changes: readonly HostChange[];
}

export interface NetworkFiles {
  readonly lock: string;
  readonly addresses: string;
  read(): NetworkState | undefined;
  write(state: NetworkState): void;
}

export function openNetworkFiles(home: Home, name: string): NetworkFiles {
  const directory = join(home.networks, name);
  const addresses = join(directory, 'addresses');
  const path = join(directory, 'state.json');
  mkdirSync(addresses, { recursive: true, mode: 0o700 });
  return {
    lock: join(directory, 'lock'),
    addresses,
    read() {
      return readJson(path) as NetworkState | undefined;
    },
    write(state) {
      writeJson(path, state);
    },
  };
}
