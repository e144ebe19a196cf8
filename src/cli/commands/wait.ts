import { getContainer } from '../../containers/find.ts';
import type { Invocation } from '../command.ts';
import { each } from '../each.ts';

export function run({ args, output }: Invocation<object, { container: readonly string[] }>): Promise<number> {
  return each(
    args.container,
    async (name) => {
      await using container = await getContainer(name);
      output.print(String((await container.wait()).exitCode));
    },
    output,
  );
}
