import { getContainer } from '../../containers/find.ts';
import type { Invocation } from '../command.ts';
import { UsageError } from '../usage-error.ts';

type Options = {
  author: string | undefined;
  message: string | undefined;
  change: readonly string[];
  pause: boolean;
  noPause: boolean;
};

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { container: string; image: string | undefined }>): Promise<number> {
  const { author, message, change, pause, noPause } = options;
  if (pause && noPause) throw new UsageError('--pause and --no-pause exclude each other', 'leave one out');
  await using container = await getContainer(args.container);
  const { id } = await container.commit(args.image, {
    changes: change,
    pause: !noPause,
    ...(author === undefined ? {} : { author }),
    ...(message === undefined ? {} : { message }),
  });
  output.print(id);
  return 0;
}
