import { MayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';

export async function run({ args }: Invocation<object, { network: string }>): Promise<number> {
  throw new MayflyError(
    'network.not-there-yet',
    `cannot make the network ${args.network}: there are no networks of one's own yet`,
    {
      hint: 'containers on the network default reach each other by address; see mayfly network inspect default',
    },
  );
}
