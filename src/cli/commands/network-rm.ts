import { inspectNetwork } from '../../containers/network-details.ts';
import { MayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';
import { each } from '../each.ts';

export function run({ args, output }: Invocation<object, { network: readonly string[] }>): Promise<number> {
  return each(
    args.network,
    async (name) => {
      await inspectNetwork(name);
      throw new MayflyError('network.built-in', `${name} comes with mayfly and cannot be removed`);
    },
    output,
  );
}
