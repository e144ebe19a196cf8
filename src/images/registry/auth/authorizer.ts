import type { IncomingHttpHeaders } from 'node:http';
import type { HttpClient } from '../http/http-client.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Credential } from './credentials.ts';
import { checkRealm } from './realm.ts';
import { type AccessToken, basicAuthorization, fetchToken } from './token.ts';

export interface AuthorizerOptions {
  readonly http: HttpClient;
  /** Base URL of the registry. */
  readonly registry: URL;
  /** Asked for when the registry first wants to know who we are, and only then. */
  readonly credential: () => Promise<Credential | undefined>;
  /** See `realms` of RegistrySettings. */
  readonly realms: readonly string[];
}

interface Attempted {
  /** What the request needs, several separated by spaces: `repository:library/postgres:pull`. */
  readonly scope: string;
  /** What it carried. */
  readonly sent: string | undefined;
}

/** Knows what to put into `Authorization` for one registry. Requests at the same time share one token. */
export interface Authorizer {
  /** The header for a request of this scope, as far as it is known what the registry wants. */
  header(scope: string): Promise<string | undefined>;
  /**
   * Learns from a 401. True: a new attempt makes sense. False: all that there is has been tried.
   *
   * @throws RegistryError of the token server
   */
  challenged(headers: IncomingHttpHeaders, attempted: Attempted): Promise<boolean>;
}

export function createAuthorizer({ http, registry, credential, realms }: AuthorizerOptions): Authorizer {
  const tokens = new Map<string, Promise<AccessToken>>();
  let bearer: Challenge | undefined;
  let basic: string | undefined;

  function request(scopes: readonly string[]): Promise<AccessToken> {
    const { parameters } = bearer!;
    return credential().then((found) =>
      found !== undefined && 'registryToken' in found
        ? { value: found.registryToken, expires: Number.POSITIVE_INFINITY }
        : fetchToken(http, {
            realm: checkRealm(parameters.get('realm') ?? '', {
              registry,
              hasCredentials: found !== undefined,
              allowed: realms,
            }),
            service: parameters.get('service'),
            scopes,
            credential: found,
          }),
    );
  }

  /** A token of the key, asked for by the first who needs it, under nobody's signal. One that failed is forgotten. */
  async function tokenFor(key: string, scopes: readonly string[]): Promise<AccessToken> {
    let pending = tokens.get(key);
    if (pending === undefined) {
      pending = request(scopes);
      tokens.set(key, pending);
      pending.catch(() => tokens.delete(key));
    }
    const token = await pending;
    if (token.expires > performance.now()) return token;
    if (tokens.get(key) === pending) tokens.delete(key);
    return tokenFor(key, scopes);
  }

  const asHeader = ({ value }: AccessToken) => `Bearer ${value}`;

  return {
    async header(scope) {
      if (basic !== undefined || bearer === undefined) return basic;
      return asHeader(await tokenFor(scope, scope.split(' ')));
    },
    async challenged(headers, { scope, sent }) {
      const challenges = parseChallenges(headers['www-authenticate']);
      const offered = challenges.find((challenge) => challenge.scheme === 'bearer');
      if (offered !== undefined) {
        bearer = offered;
        const current = await tokens.get(scope)?.catch(() => undefined);
        // Another request may have got a new one in the meantime.
        if (current !== undefined && sent === asHeader(current)) tokens.delete(scope);
        // A registry that wants more than we thought says so (`insufficient_scope`, RFC 6750).
        const wanted = offered.parameters.get('scope')?.split(' ') ?? [];
        await tokenFor(scope, [...new Set([...scope.split(' '), ...wanted])]);
        return true;
      }
      if (!challenges.some((challenge) => challenge.scheme === 'basic')) return false;
      const found = await credential();
      if (found === undefined || !('username' in found)) return false;
      basic = basicAuthorization(found);
      return sent !== basic;
    },
  };
}
