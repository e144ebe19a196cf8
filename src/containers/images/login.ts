import { openCredentials } from '../../images/registry/auth/credentials.ts';
import { forgetCredential, type Keeper, keepCredential } from '../../images/registry/auth/keep-credential.ts';
import { openConfigured } from '../../images/registry/configured.ts';
import { discard } from '../../images/registry/http/response-body.ts';
import { RegistryError } from '../../images/registry/registry-error.ts';
import { openHome } from '../own-home.ts';

export interface Login {
  /** Host and port; a URL will do. Default: `docker.io`. */
  readonly server?: string | undefined;
  /** Default: those that are kept already are tried. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a registry whether it lets this user in, and keeps the password where `docker login` would. Undefined when what was kept already
 * has been found right.
 *
 * @throws RegistryError `registry.unauthorized`, `registry.unreachable`, `registry.*`; MayflyError `registry.bad-config`
 */
export async function login(
  { server, username, password, signal }: Login,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Keeper | undefined> {
  const host = hostOfServer(server);
  if (username === undefined || password === undefined) {
    if ((await openCredentials(env).for(host)) === undefined) throw unauthorized(host, 'no password is kept');
    await check(host, env, signal);
    return undefined;
  }
  const auths = { [host]: { username, password } };
  await check(host, { ...env, DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) }, signal);
  return await keepCredential(env, { host, username, password });
}

/** Forgets the password for a registry. False: none was kept. @throws MayflyError `registry.bad-config`, `registry.credential-helper-failed` */
export function logout(server?: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  return forgetCredential(env, hostOfServer(server));
}

/** `https://registry.example/v2/` -> `registry.example`; Docker Hub by any of its names is `docker.io`. */
export function hostOfServer(server = 'docker.io'): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return ['index.docker.io', 'registry-1.docker.io'].includes(host) ? 'docker.io' : host;
}

/** By the first request of every client (distribution, spec/api.md, "API version check"), with the credentials that `env` leads to. */
async function check(host: string, env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<void> {
  await using registries = openConfigured(openHome(env), env);
  try {
    const transport = await registries.transport({ host }, signal);
    const what = `log in to ${host}`;
    const response = await transport.request({
      method: 'GET',
      url: '/v2/',
      scope: '',
      expect: [200],
      what,
      signal,
    });
    discard(response.body);
  } catch (cause) {
    if (cause instanceof RegistryError && cause.status === 401)
      throw unauthorized(host, 'it is not right', cause);
    throw cause;
  }
}

function unauthorized(host: string, why: string, cause?: unknown): RegistryError {
  return new RegistryError('registry.unauthorized', `cannot log in to ${host}: ${why}`, {
    host,
    status: 401,
    cause,
    hint: 'give a user name and its password, or an access token in its place',
  });
}
