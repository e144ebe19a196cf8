import { text } from 'node:stream/consumers';
import { login } from '../../containers/images/login.ts';
import type { Keeper } from '../../images/registry/auth/keep-credential.ts';
import { isMayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';
import { ask, askSecretly } from '../prompt.ts';
import { UsageError } from '../usage-error.ts';

type Options = { username: string | undefined; password: string | undefined; passwordStdin: boolean };

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<Options, { server: string | undefined }>): Promise<number> {
  const { server } = args;
  const kept = await login({ server, ...(await credentialOf(options)) }, env).catch((error: unknown) => {
    if (!isMayflyError(error, 'registry.unauthorized') || !mayAsk(options)) throw error;
    return askAndLogin(server, env);
  });
  if (options.password !== undefined)
    output.warn('mayfly: --password shows the password in the list of processes; --password-stdin does not');
  if (kept !== undefined && 'file' in kept)
    output.warn(`mayfly: the password is kept in ${kept.file}, which no helper encrypts`);
  output.print('Login Succeeded');
  return 0;
}

/** Whether what is kept has been tried, and a person can tell something else. */
function mayAsk({ username, password, passwordStdin }: Options): boolean {
  return username === undefined && password === undefined && !passwordStdin && process.stdin.isTTY;
}

async function askAndLogin(server: string | undefined, env: NodeJS.ProcessEnv): Promise<Keeper | undefined> {
  const username = await ask('Username: ');
  return login({ server, username, password: await askSecretly('Password: ') }, env);
}

/** What was given, piped in or answered; nothing, when what is kept already is to be tried. */
async function credentialOf({ username, password, passwordStdin }: Options) {
  if (passwordStdin) {
    if (password !== undefined)
      throw new UsageError('--password and --password-stdin exclude each other', 'give one of them');
    if (username === undefined)
      throw new UsageError('--password-stdin needs a user name', 'give --username too');
    return { username, password: await readPassword() };
  }
  if (username === undefined && password === undefined) return {};
  const name = username ?? (await ask('Username: '));
  return { username: name, password: password ?? (await askSecretly('Password: ')) };
}

/** One end of line is what echo adds; any other is part of the password. */
async function readPassword(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password === '') throw new UsageError('stdin holds no password', 'pipe it into mayfly login');
  return password;
}
