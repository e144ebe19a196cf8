import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { isLoopback } from '../hosts.ts';
import { type RegistriesConfig, settingsOf } from '../registries-config.ts';
import { RegistryError } from '../registry-error.ts';
import { networkError } from './network-error.ts';
import { watchProgress } from './watch-progress.ts';

const CONNECT_TIMEOUT = 10_000;
const CONNECTIONS_PER_HOST = 8;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  /** Of the request that was answered. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Fails with a RegistryError when the connection breaks or the bytes stop coming. Has to be read or discarded. */
  readonly body: Readable;
}

export interface HttpClientOptions {
  readonly registries: RegistriesConfig;
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are looked up. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds without an answer, or with next to no progress of a body, after which it is given up. */
  readonly stallTimeout: number;
}

/** One request, one answer: no redirects, no authorization, no second try. */
export interface HttpClient {
  /** @throws RegistryError `registry.unreachable`, `registry.broken-connection`, `registry.stalled`, `registry.tls` */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

export function createHttpClient({ registries, env, stallTimeout }: HttpClientOptions): HttpClient {
  const dispatchers = new Map<string, Promise<Dispatcher>>();

  /** Trust is a matter of each host: a redirect from an insecure one does not make its target so. */
  function dispatcherFor(url: URL): Promise<Dispatcher> {
    let dispatcher = dispatchers.get(url.host);
    if (dispatcher === undefined) {
      dispatcher = openDispatcher(url);
      dispatchers.set(url.host, dispatcher);
      dispatcher.catch(() => dispatchers.delete(url.host));
    }
    return dispatcher;
  }

  async function openDispatcher({ host, hostname }: URL): Promise<Dispatcher> {
    // Loaded by who speaks with a registry: it takes 80 ms, which every start of a container would have to wait for.
    const { Agent, EnvHttpProxyAgent } = await import('undici');
    const { insecure, ca } = settingsOf(registries, host);
    const tls = {
      ...(insecure ? { rejectUnauthorized: false } : {}),
      ...(ca === undefined ? {} : { ca: readFileSync(ca, 'utf8') }),
    };
    const options = {
      connect: { ...tls, timeout: CONNECT_TIMEOUT },
      connections: CONNECTIONS_PER_HOST,
      headersTimeout: stallTimeout,
      bodyTimeout: stallTimeout,
    };
    // As in Go, and so in Docker: no proxy between this machine and itself.
    return isLoopback(hostname)
      ? new Agent(options)
      : new EnvHttpProxyAgent({
          ...options,
          requestTls: tls,
          httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
          httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
          noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
        });
  }

  return {
    async send({ method, url, headers = {}, body = null, signal }) {
      signal?.throwIfAborted();
      try {
        const {
          statusCode,
          headers: answered,
          body: stream,
        } = await (await dispatcherFor(url)).request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method,
          // No coding on the way: sizes and digests are those of the bytes as they are stored.
          headers: { 'accept-encoding': 'identity', 'user-agent': 'mayfly', ...headers },
          body,
          signal: signal ?? null,
        });
        refuseCoding(url, answered);
        return {
          url,
          status: statusCode,
          headers: answered,
          body: watchProgress(stream, { url, stallTimeout, signal }),
        };
      } catch (error) {
        signal?.throwIfAborted();
        throw networkError(error, url);
      }
    },
    async close() {
      await Promise.allSettled([...dispatchers.values()].map(async (opening) => (await opening).destroy()));
    },
  };
}

/** A coding that nobody asked for is either a mistake or an attempt to make us decode without end (CVE-2026-22036). */
function refuseCoding({ host }: URL, headers: IncomingHttpHeaders): void {
  const coding = headers['content-encoding'];
  if (coding === undefined || coding === 'identity') return;
  throw new RegistryError(
    'registry.bad-response',
    `${host} answered with the content coding ${coding.slice(0, 40)}`,
    {
      host,
      hint: 'mayfly asks for content as it is stored; correct the server or the proxy in front of it',
    },
  );
}
