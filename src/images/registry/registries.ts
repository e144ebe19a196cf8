import { createAuthorizer } from './auth/authorizer.ts';
import { openCredentials } from './auth/credentials.ts';
import { resolveBase } from './endpoint.ts';
import { createHttpClient } from './http/http-client.ts';
import { DEFAULT_RETRY, type RetryOptions } from './http/retry.ts';
import { type RegistriesConfig, settingsOf } from './registries-config.ts';
import { createTransport, type Transport } from './transport.ts';

export interface RegistriesOptions {
  readonly config: RegistriesConfig;
  /** Proxies, and where Docker keeps credentials. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds without an answer, or with next to no progress, after which a transfer is given up. Default: 60,000. */
  readonly stallTimeout?: number | undefined;
  readonly retry?: Omit<RetryOptions, 'signal' | 'progressed'> | undefined;
}

/** A registry, or a mirror of one. */
export interface RegistryAddress {
  /** What credentials and settings are looked up by. */
  readonly host: string;
  /** Undefined: found out by the host. */
  readonly base?: URL;
}

/** Connections, credentials and tokens of one transfer: shared by all its requests, and by nothing else. */
export interface Registries extends AsyncDisposable {
  readonly config: RegistriesConfig;
  readonly retry: Omit<RetryOptions, 'signal' | 'progressed'>;
  transport(address: RegistryAddress, signal?: AbortSignal): Promise<Transport>;
}

export function openRegistries({
  config,
  env,
  stallTimeout = 60_000,
  retry = DEFAULT_RETRY,
}: RegistriesOptions): Registries {
  const http = createHttpClient({ registries: config, env, stallTimeout });
  const credentials = openCredentials(env);
  const transports = new Map<string, Promise<Transport>>();

  async function connect({ host, base }: RegistryAddress, signal?: AbortSignal): Promise<Transport> {
    const settings = settingsOf(config, host);
    const place = settings.location === undefined ? undefined : new URL(settings.location);
    const registry = base ?? place ?? (await resolveBase(http, { host, settings, signal }));
    const authorizer = createAuthorizer({
      http,
      registry,
      credential: () => credentials.for(base === undefined && place !== undefined ? place.host : host),
      realms: settings.realms ?? [],
    });
    return createTransport({ http, base: registry, authorizer, retry });
  }

  return {
    config,
    retry,
    transport(address, signal) {
      const key = address.base?.href ?? address.host;
      let transport = transports.get(key);
      if (transport === undefined) {
        transport = connect(address, signal);
        transports.set(key, transport);
        transport.catch(() => transports.delete(key));
      }
      return transport;
    },
    [Symbol.asyncDispose]: () => http.close(),
  };
}
