import type { Readable } from 'node:stream';
import type { Authorizer } from './auth/authorizer.ts';
import type { HttpClient, HttpRequest, HttpResponse } from './http/http-client.ts';
import { sendAndFollow } from './http/redirects.ts';
import { discard, readErrorMessage } from './http/response-body.ts';
import { parseRetryAfter, RateLimitError, type RetryOptions, withRetry } from './http/retry.ts';
import { RegistryError } from './registry-error.ts';

/** The first 401 says how to log in; a second one may ask for a wider scope, or say that a token has just expired. */
const MOST_CHALLENGES = 2;

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Path below the base, or where the registry has sent us for an upload. */
  readonly url: string | URL;
  /** Rights that it takes, see Authorizer. */
  readonly scope: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for every attempt. */
  readonly body?: () => Uint8Array | Readable;
  /** Statuses that the caller knows what to do with; any other becomes an error. */
  readonly expect: readonly number[];
  /** What is being done, for the error: `read manifest 17 of library/postgres`. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** False where the caller has its own way to go on, as with blobs. Default: true. */
  readonly retry?: boolean;
}

/** Requests to one registry: authorized, redirected, retried. */
export interface Transport {
  readonly base: URL;
  /** @throws RegistryError `registry.*` */
  request(request: RegistryRequest): Promise<HttpResponse>;
}

export interface TransportOptions {
  readonly http: HttpClient;
  readonly base: URL;
  readonly authorizer: Authorizer;
  readonly retry: Omit<RetryOptions, 'signal'>;
}

export function createTransport({ http, base, authorizer, retry }: TransportOptions): Transport {
  async function attempt(request: RegistryRequest): Promise<HttpResponse> {
    const { method, scope, headers = {}, body, expect, what, signal } = request;
    const url = new URL(request.url, base);
    const isOwn = url.origin === base.origin;
    for (let challenges = 0; ; challenges += 1) {
      const authorization = isOwn ? await authorizer.header(scope) : undefined;
      const response =
        method === 'GET' || method === 'HEAD'
          ? await sendAndFollow(http, { method, url, headers, authorization, signal })
          : await http.send({
              method,
              url,
              headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
              ...(body === undefined ? {} : { body: body() }),
              signal,
            });
      if (expect.includes(response.status)) return response;
      const ours = response.url.origin === base.origin;
      const learnt =
        response.status === 401 &&
        ours &&
        challenges < MOST_CHALLENGES &&
        (await authorizer.challenged(response.headers, { scope, sent: authorization }));
      if (!learnt) throw await statusError(response, what);
      discard(response.body);
    }
  }

  return {
    base,
    request: (request) =>
      withRetry(() => attempt(request), {
        ...retry,
        attempts: request.retry === false ? 1 : retry.attempts,
        signal: request.signal,
      }),
  };
}

const HINTS: Readonly<Record<number, string>> = {
  401: 'does the repository exist? if it is private, docker login tells mayfly the password too',
  403: 'the account has no right to this',
  404: 'check the name and the tag',
};

async function statusError(response: HttpResponse, what: string): Promise<RegistryError> {
  const { status, headers, url } = response;
  const { host } = url;
  const said = await readErrorMessage(response);
  const message = `cannot ${what}: ${host} answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status === 429) {
    return new RateLimitError(message, {
      host,
      retryAfter: parseRetryAfter(headers['retry-after'], Date.now()),
    });
  }
  const hint = HINTS[status];
  return new RegistryError(codeOf(status), message, {
    host,
    status,
    ...(hint === undefined ? {} : { hint }),
  });
}

function codeOf(status: number) {
  if (status === 401) return 'registry.unauthorized';
  if (status === 403) return 'registry.forbidden';
  if (status === 404) return 'registry.not-found';
  return status >= 500 || status === 408 ? 'registry.server-error' : 'registry.bad-response';
}
