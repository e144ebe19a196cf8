import { getContainer } from '../../containers/find.ts';
import type { Invocation } from '../command.ts';
import { UsageError } from '../usage-error.ts';

type Options = { output: string | undefined };

export async function run({ options, args }: Invocation<Options, { container: string }>): Promise<number> {
  if (options.output === undefined && process.stdout.isTTY)
    throw new UsageError('a tar is not for a terminal', 'give a file with --output, or redirect it');
  await using container = await getContainer(args.container);
  await container.export(options.output ?? process.stdout);
  return 0;
}
