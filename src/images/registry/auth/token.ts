import type { HttpClient } from '../http/http-client.ts';
import { sendAndFollow } from '../http/redirects.ts';
import { discard, MAX_MESSAGE, readErrorMessage, readJsonBody } from '../http/response-body.ts';
import { RegistryError } from '../registry-error.ts';
import type { Credential } from './credentials.ts';

/** Seconds; the default where the server says nothing, and the least that is believed (distribution, spec/auth/token.md). */
const SHORTEST_LIFE = 60;
/** Identifies us to token servers that keep lists of logins. */
const CLIENT_ID = 'mayfly';

export interface AccessToken {
  readonly value: string;
  /** On the clock of performance.now(), with a margin for the way. */
  readonly expires: number;
}

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  /** `repository:library/postgres:pull` */
  readonly scopes: readonly string[];
  readonly credential: Exclude<Credential, { registryToken: string }> | undefined;
}

/**
 * Gets a token: with a password or anonymously by GET (spec/auth/token.md), with an identity token by POST (spec/auth/oauth.md).
 *
 * @throws RegistryError `registry.unauthorized`, `registry.forbidden`, `registry.bad-response`, `registry.server-error`, …
 */
export async function fetchToken(http: HttpClient, request: TokenRequest): Promise<AccessToken> {
  const { realm, credential } = request;
  const response =
    credential !== undefined && 'identityToken' in credential
      ? await http.send(refreshRequest(request, credential.identityToken))
      : await sendAndFollow(http, getRequest(request));
  if (response.status !== 200) throw await refusal(response.status, await readErrorMessage(response), realm);
  try {
    const body = await readJsonBody(response, MAX_MESSAGE);
    const value = body.token ?? body.access_token;
    if (typeof value !== 'string' || value === '' || /[^\x21-\x7e]/.test(value)) {
      throw new RegistryError('registry.bad-response', `${realm.host} sent no token`, { host: realm.host });
    }
    const life = Math.max(typeof body.expires_in === 'number' ? body.expires_in : 0, SHORTEST_LIFE);
    return { value, expires: performance.now() + life * 900 };
  } finally {
    discard(response.body);
  }
}

function getRequest({ realm, service, scopes, credential }: TokenRequest) {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const authorization = credential && 'username' in credential ? basicAuthorization(credential) : undefined;
  return { method: 'GET' as const, url, authorization };
}

function refreshRequest({ realm, service, scopes }: TokenRequest, identityToken: string) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: identityToken,
    client_id: CLIENT_ID,
    scope: scopes.join(' '),
    ...(service === undefined ? {} : { service }),
  });
  return {
    method: 'POST' as const,
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

/** RFC 7617. */
export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function refusal(status: number, message: string, { host }: URL): RegistryError {
  const said = message === '' ? '' : `: ${message}`;
  const code =
    status === 401 || status === 400
      ? 'registry.unauthorized'
      : status === 403
        ? 'registry.forbidden'
        : status >= 500
          ? 'registry.server-error'
          : 'registry.bad-response';
  return new RegistryError(code, `the token server ${host} answered ${status}${said}`, {
    host,
    status,
    ...(code === 'registry.unauthorized'
      ? { hint: 'are the credentials right? docker login renews them' }
      : {}),
  });
}
