import { MayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';

export async function run({
  args,
}: Invocation<object, { network: string; container: string }>): Promise<number> {
  throw new MayflyError(
    'network.not-there-yet',
    `the network of ${args.container} cannot be changed yet: a container stays where it was started`,
    { hint: `start it with --network ${args.network}` },
  );
}
