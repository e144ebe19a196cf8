import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { MayflyError } from '../support/error.ts';
import { formatIp, parseIp, type Subnet } from './subnet.ts';

/** The network itself and the gateway are the first two addresses. */
const FIRST = 2;

/**
 * Addresses of one network, for any number of processes at once: an address is taken by making the file of its name,
 * which the kernel lets one of them do. The file holds the id of the container.
 */
export class AddressPool {
  readonly #directory: string;
  readonly #subnet: Subnet;

  constructor(directory: string, subnet: Subnet) {
    this.#directory = directory;
    this.#subnet = subnet;
  }

  get gateway(): string {
    return formatIp(parseIp(this.#subnet.base) + 1);
  }

  /**
   * Takes the address that is wanted, if it is this network's and free or the container's already. Otherwise one after
   * `last`, so that one just given back is not used again at once: a client may still hold connections to it.
   *
   * @throws MayflyError `network.addresses-exhausted`
   */
  take(
    containerId: string,
    { last, wantedIp }: { last: number; wantedIp?: string | undefined },
  ): { ip: string; offset: number } {
    const size = 2 ** (32 - this.#subnet.prefix) - FIRST - 1;
    if (wantedIp !== undefined) {
      const offset = parseIp(wantedIp) - parseIp(this.#subnet.base);
      const inRange = offset >= FIRST && offset < FIRST + size;
      const had = () => holderOf(this.#directory, wantedIp) === containerId;
      if (inRange && (had() || this.#claim(wantedIp, containerId))) return { ip: wantedIp, offset: last };
    }
    for (let i = 0; i < size; i += 1) {
      const offset = FIRST + ((last - FIRST + 1 + i) % size);
      const ip = formatIp(parseIp(this.#subnet.base) + offset);
      if (this.#claim(ip, containerId)) return { ip, offset };
    }
    throw new MayflyError('network.addresses-exhausted', `all ${size} addresses of the network are taken`, {
      hint: 'stop some containers',
    });
  }

  /** Gives back what dead containers had; returns how many addresses are still in use. */
  sweep(isAlive: (id: string) => boolean): number {
    const taken = readdirSync(this.#directory);
    const dead = taken.filter((ip) => !isAlive(holderOf(this.#directory, ip)));
    for (const ip of dead) rmSync(join(this.#directory, ip), { force: true });
    return taken.length - dead.length;
  }

  #claim(ip: string, containerId: string): boolean {
    try {
      const fd = openSync(join(this.#directory, ip), 'wx', 0o600);
      writeSync(fd, containerId);
      closeSync(fd);
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false;
      throw error;
    }
  }
}

/** Gives an address back, unless another container has it by now. */
export function giveAddress(
  directory: string,
  { ip, containerId }: { ip: string; containerId: string },
): void {
  if (holderOf(directory, ip) === containerId) rmSync(join(directory, ip), { force: true });
}

/** Id of the container that has an address; empty when none has. */
function holderOf(directory: string, ip: string): string {
  try {
    return readFileSync(join(directory, ip), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
