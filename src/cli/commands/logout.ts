import { hostOfServer, logout } from '../../containers/images/login.ts';
import type { Invocation } from '../command.ts';

export async function run({
  args,
  output,
  env,
}: Invocation<object, { server: string | undefined }>): Promise<number> {
  const host = hostOfServer(args.server);
  const known = await logout(args.server, env);
  output.print(known ? `Removing login credentials for ${host}` : `Not logged in to ${host}`);
  return 0;
}
