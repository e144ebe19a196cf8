import { MayflyError } from '../../../support/error.ts';
import type { Credential } from './credentials.ts';

const TIMEOUT = 30_000;
/** A helper's name becomes part of a program's name. */
const NAME = /^[a-zA-Z0-9][\w.-]*$/;
/** By this user name a helper says that the secret is an identity token (docker-credential-helpers, README). */
const TOKEN_USER = '<token>';

/**
 * Asks `docker-credential-NAME get` for a server's credential; undefined when it has none.
 *
 * @throws MayflyError `registry.credential-helper-failed`
 */
export async function askCredentialHelper(name: string, server: string): Promise<Credential | undefined> {
  const { program, exitCode, stdout, stderr, broken, cause } = await run(name, 'get', server);
  // The protocol has no code for it, only these words, on stdout.
  if (/credentials not found/i.test(stdout)) return undefined;
  if (broken || exitCode !== 0) throw failed(program, (stderr || stdout).slice(0, 500), cause);
  try {
    const { Username = '', Secret } = JSON.parse(stdout) as { Username?: string; Secret: string };
    if (typeof Secret !== 'string' || typeof Username !== 'string') throw new TypeError('no secret');
    return Username === TOKEN_USER ? { identityToken: Secret } : { username: Username, password: Secret };
  } catch {
    // Its output is not shown, and neither is the parser's error: they may hold a secret.
    throw failed(program, 'it did not print a credential');
  }
}

/** Has `docker-credential-NAME store` keep a password. @throws MayflyError `registry.credential-helper-failed` */
export async function storeInHelper(
  name: string,
  { server, username, password }: { server: string; username: string; password: string },
): Promise<void> {
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: password });
  const { program, broken, stderr, cause } = await run(name, 'store', input);
  // Not its stdout, nor our input: they hold the password.
  if (broken) throw failed(program, stderr.slice(0, 500), cause);
}

/** Has `docker-credential-NAME erase` forget a server; true when it knew it. */
export async function eraseFromHelper(name: string, server: string): Promise<boolean> {
  const { program, broken, stdout, stderr, cause } = await run(name, 'erase', server);
  if (/credentials not found/i.test(stdout)) return false;
  if (broken) throw failed(program, (stderr || stdout).slice(0, 500), cause);
  return true;
}

async function run(name: string, verb: 'get' | 'store' | 'erase', input: string) {
  if (!NAME.test(name)) throw failed(name, 'there can be no such helper');
  const program = `docker-credential-${name}`;
  const { execa } = await import('execa');
  const result = await execa(program, [verb], { input, reject: false, timeout: TIMEOUT });
  const { exitCode, stdout, stderr, failed: broken } = result;
  return {
    program,
    exitCode,
    stdout,
    stderr: stderr ?? '',
    broken,
    cause: verb === 'get' ? result.cause : undefined,
  };
}

function failed(program: string, why: string, cause?: unknown): MayflyError {
  return new MayflyError('registry.credential-helper-failed', `${program} failed: ${why}`, {
    cause,
    hint: 'is it in PATH? credHelpers and credsStore in ~/.docker/config.json name it',
  });
}
