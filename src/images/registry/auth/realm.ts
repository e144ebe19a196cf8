import { hostnameOf, isLoopback, isPrivate } from '../hosts.ts';
import { RegistryError } from '../registry-error.ts';

interface Asked {
  /** The registry that names the realm. */
  readonly registry: URL;
  /** Whether the token server would be given a password. */
  readonly hasCredentials: boolean;
  /** Hosts that the user has named as token servers of this registry. */
  readonly allowed: readonly string[];
}

/**
 * The token server that a registry points to, when it may be asked: a registry must not be able to send us, let alone a
 * password, to a server of its choice (CVE-2026-48978, CVE-2026-33540).
 *
 * @throws RegistryError `registry.bad-realm`
 */
export function checkRealm(realm: string, { registry, hasCredentials, allowed }: Asked): URL {
  let url: URL;
  try {
    url = new URL(realm);
  } catch (cause) {
    throw refuse(registry, { realm, why: 'it is no URL', cause });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refuse(registry, { realm, why: 'it is no web address' });
  if (registry.protocol === 'https:' && url.protocol === 'http:') {
    throw refuse(registry, { realm, why: 'the registry speaks https and its token server does not' });
  }
  if (allowed.includes(url.host) || allowed.includes(url.hostname)) return url;
  const sameMachine =
    url.hostname === registry.hostname || (isLoopback(url.hostname) && isLoopback(registry.hostname));
  if (isPrivate(url.hostname) && !sameMachine) {
    throw refuse(registry, { realm, why: 'it is an address of a private network' });
  }
  if (hasCredentials && !sameMachine && !sameOwner(url.hostname, registry.hostname)) {
    throw refuse(registry, {
      realm,
      why: 'it belongs to another domain, and there is a password to be sent',
    });
  }
  return url;
}

/**
 * True when one is a subdomain of the other, or both have the same parent, as auth.docker.io and registry-1.docker.io.
 * Stricter than browsers are in most cases; below a suffix such as co.uk it is not.
 */
function sameOwner(one: string, other: string): boolean {
  const parent = (host: string) => host.slice(host.indexOf('.') + 1);
  if (one.endsWith(`.${other}`) || other.endsWith(`.${one}`)) return true;
  return parent(one) === parent(other) && parent(one).includes('.');
}

function refuse(
  registry: URL,
  { realm, why, cause }: { realm: string; why: string; cause?: unknown },
): RegistryError {
  const shown = JSON.stringify(realm.slice(0, 200));
  return new RegistryError(
    'registry.bad-realm',
    `${registry.host} names ${shown} as its token server: ${why}`,
    {
      host: registry.host,
      cause,
      hint: `if it is right, add it to "realms" of ${JSON.stringify(hostnameOf(registry.host))} in registries.json`,
    },
  );
}
