import type { Reference } from '../reference/parse.ts';
import type { Registries, RegistryAddress } from './registries.ts';
import { settingsOf } from './registries-config.ts';
import { createRegistryClient, type RegistryClient } from './registry-client.ts';

/**
 * Reads something from the first of a registry's mirrors that has it, or from the registry itself. What a mirror cannot
 * do, for whatever reason, the next one may; the registry's own error is the one that counts.
 */
export async function fromFirst<T>(
  registries: Registries,
  { reference, signal }: { reference: Reference; signal?: AbortSignal | undefined },
  read: (client: RegistryClient) => Promise<T>,
): Promise<T> {
  const { registry, repository } = reference;
  const mirrors: RegistryAddress[] = (settingsOf(registries.config, registry).mirrors ?? []).map((mirror) => {
    const base = new URL(mirror);
    return { host: base.host, base };
  });
  const open = async (address: RegistryAddress) =>
    createRegistryClient(await registries.transport(address, signal), { host: address.host, repository });
  for (const mirror of mirrors) {
    try {
      return await read(await open(mirror));
    } catch {
      signal?.throwIfAborted();
    }
  }
  return read(await open({ host: registry }));
}
