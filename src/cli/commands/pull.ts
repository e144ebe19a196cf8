import { pullImage } from '../../containers/images/pull-image.ts';
import { formatReference, parseReference } from '../../images/reference/parse.ts';
import type { Invocation } from '../command.ts';
import { showTransfer } from '../transfer-steps.ts';

type Options = { platform: string | undefined; quiet: boolean };

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { image: string }>): Promise<number> {
  const { platform, quiet } = options;
  await pullImage(args.image, {
    ...(platform === undefined ? {} : { platform }),
    ...(quiet ? {} : { onProgress: showTransfer() }),
  });
  output.print(formatReference(parseReference(args.image)));
  return 0;
}
