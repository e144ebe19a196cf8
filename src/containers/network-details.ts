import type { NetworkDescription } from '../networks/networks.ts';
import { MayflyError } from '../support/error.ts';
import { readRecord } from './container-record.ts';
import { openEngine } from './engine.ts';
import { listContainers } from './list.ts';

/** A running container on a network. */
export interface NetworkMember {
  readonly id: string;
  readonly name: string;
  /** `10.64.16.2/20`; undefined on the networks without addresses. */
  readonly address: string | undefined;
  readonly mac: string | undefined;
}

export interface NetworkDetails extends NetworkDescription {
  readonly containers: readonly NetworkMember[];
}

/** The networks that a container can be started on: `default`, `host` and `none`. */
export function listNetworks(): readonly NetworkDescription[] {
  return openEngine().networks.list();
}

/** A network and the containers that run on it. @throws MayflyError `network.not-found` */
export async function inspectNetwork(name: string): Promise<NetworkDetails> {
  const { networks, home } = openEngine();
  const network = networks.list().find((known) => known.name === name);
  if (network === undefined) {
    throw new MayflyError('network.not-found', `there is no network ${JSON.stringify(name)}`, {
      hint: 'mayfly network ls lists them',
    });
  }
  const containers = (await listContainers()).flatMap(({ id, name: container }) => {
    const attachment = readRecord(home, id)?.attachment;
    if (attachment?.networkName !== name) return [];
    const { ip, prefix, mac } = attachment;
    return [{ id, name: container, address: ip === undefined ? undefined : `${ip}/${prefix}`, mac }];
  });
  return { ...network, containers };
}
