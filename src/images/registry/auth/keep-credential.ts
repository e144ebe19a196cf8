import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../../support/error.ts';
import { eraseFromHelper, storeInHelper } from './credential-helper.ts';
import { helperFor, hostOfKey, keysOf } from './credentials.ts';
import { dockerConfigPath, readDockerConfig } from './docker-config.ts';

export interface KeptCredential {
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

/** Where a password is: with a helper, or in a file, in plain text but for its encoding. */
export type Keeper = { readonly helper: string } | { readonly file: string };

/**
 * Keeps a password where `docker login` would: with the helper of this registry, else the store of all, else in config.json, which is
 * readable for its owner alone from then on. What else the file says stays.
 *
 * @throws MayflyError `registry.bad-config`, `registry.credential-helper-failed`
 */
export async function keepCredential(
  env: NodeJS.ProcessEnv,
  { host, username, password }: KeptCredential,
): Promise<Keeper> {
  const config = readOwnConfig(env);
  const [server] = keysOf(host) as [string];
  const helper = helperFor(config, host) || config.credsStore;
  if (helper) await storeInHelper(helper, { server, username, password });
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  // An empty entry is how docker remembers that the store has something.
  changeAuths(env, (auths) => ({ ...auths, [server]: helper ? {} : { auth } }));
  return helper ? { helper } : { file: dockerConfigPath(env) };
}

/** Forgets it, wherever it is. False: there was nothing. @throws as {@link keepCredential} */
export async function forgetCredential(env: NodeJS.ProcessEnv, host: string): Promise<boolean> {
  const config = readOwnConfig(env);
  const keys = keysOf(host);
  const own = (key: string) => keys.includes(key) || keys.includes(hostOfKey(key));
  const listed = Object.keys(config.auths ?? {}).some(own);
  const helper = helperFor(config, host) || config.credsStore;
  const erased = helper ? await eraseFromHelper(helper, keys[0]!) : false;
  if (listed) {
    changeAuths(env, (auths) => Object.fromEntries(Object.entries(auths).filter(([key]) => !own(key))));
  }
  return listed || erased;
}

/** What the file says, which is what will be read later only where no variable stands in its place. */
function readOwnConfig(env: NodeJS.ProcessEnv) {
  if (!env.DOCKER_AUTH_CONFIG) return readDockerConfig(env);
  throw new MayflyError('registry.bad-config', 'DOCKER_AUTH_CONFIG is set, and counts in place of the file', {
    hint: 'unset it, or change what it says',
  });
}

function changeAuths(
  env: NodeJS.ProcessEnv,
  change: (auths: Record<string, unknown>) => Record<string, unknown>,
): void {
  const path = resolved(dockerConfigPath(env));
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const config = readRaw(path);
  const auths = change((config.auths as Record<string, unknown> | undefined) ?? {});
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, `${JSON.stringify({ ...config, auths }, null, '\t')}\n`, { mode: 0o600 });
    chmodSync(temporary, 0o600);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The file itself, where the path is a link to it, as people have who keep their settings in a repository. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return path;
    throw error;
  }
}

function readRaw(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return {};
    throw error;
  }
}
