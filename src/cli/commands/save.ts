import { saveImages } from '../../containers/images/transfer-images.ts';
import type { Invocation } from '../command.ts';
import { UsageError } from '../usage-error.ts';

type Options = { output: string | undefined };

export async function run({
  options,
  args,
}: Invocation<Options, { image: readonly string[] }>): Promise<number> {
  if (options.output === undefined && process.stdout.isTTY)
    throw new UsageError('an archive is not for a terminal', 'give a file with --output, or redirect it');
  await saveImages(args.image, options.output ?? process.stdout);
  return 0;
}
