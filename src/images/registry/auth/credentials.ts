import { askCredentialHelper } from './credential-helper.ts';
import { type DockerAuthEntry, type DockerConfig, readDockerConfig } from './docker-config.ts';

/** A user's password, a token to be traded for access tokens, or an access token itself. */
export type Credential =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }
  | { readonly registryToken: string };

/** Under these Docker keeps the credentials of Docker Hub. */
const DOCKER_HUB_KEYS = [
  'https://index.docker.io/v1/',
  'index.docker.io',
  'docker.io',
  'registry-1.docker.io',
];

/** Looks up credentials by a registry's host as references write it. The configuration is read once, when first asked. */
export interface Credentials {
  /** @throws MayflyError `registry.bad-config`, `registry.credential-helper-failed` */
  for(host: string): Promise<Credential | undefined>;
}

export function openCredentials(env: NodeJS.ProcessEnv): Credentials {
  let config: DockerConfig | undefined;
  const found = new Map<string, Promise<Credential | undefined>>();
  return {
    for(host) {
      config ??= readDockerConfig(env);
      let credential = found.get(host);
      if (credential === undefined) {
        credential = findCredential(config, host);
        found.set(host, credential);
      }
      return credential;
    },
  };
}

/** In Docker's order: the helper of this registry, the store of all, the file itself. */
async function findCredential(config: DockerConfig, host: string): Promise<Credential | undefined> {
  const keys = keysOf(host);
  const helper = helperFor(config, host);
  if (helper) return askCredentialHelper(helper, keys[0]!);
  if (config.credsStore) {
    const stored = await askCredentialHelper(config.credsStore, keys[0]!);
    if (stored !== undefined) return stored;
  }
  for (const [key, entry] of Object.entries(config.auths ?? {})) {
    if (keys.includes(key) || keys.includes(hostOfKey(key))) {
      const credential = credentialOf(entry);
      if (credential !== undefined) return credential;
    }
  }
  return undefined;
}

/** What a configuration may call a registry; what we write comes first. */
export function keysOf(host: string): readonly string[] {
  return host === 'docker.io' ? DOCKER_HUB_KEYS : [host];
}

/** The credential helper of this registry alone. */
export function helperFor(config: DockerConfig, host: string): string | undefined {
  return keysOf(host)
    .map((key) => own(config.credHelpers, key))
    .find((name) => name);
}

/** Old versions of Docker wrote URLs: `https://registry.example.org/v1/`. */
export function hostOfKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function credentialOf({ auth, username, password, identitytoken, registrytoken }: DockerAuthEntry) {
  if (registrytoken) return { registryToken: registrytoken };
  if (identitytoken) return { identityToken: identitytoken };
  if (username && password !== undefined) return { username, password };
  if (!auth) return undefined;
  const plain = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = plain.indexOf(':');
  return colon > 0 ? { username: plain.slice(0, colon), password: plain.slice(colon + 1) } : undefined;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
