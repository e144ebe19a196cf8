import { pullImage } from '../../containers/images/pull-image.ts';
import { formatReference, parseReference } from '../../images/reference/parse.ts';
import type { Invocation } from '../command.ts';
import { shownTransfer } from '../shown-transfer.ts';

type Options = { platform: string | undefined; quiet: boolean };

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<Options, { image: string }>): Promise<number> {
  const { platform, quiet } = options;
  const { image } = args;
  const wanted = platform === undefined ? {} : { platform };
  await shownTransfer((progress) => pullImage(image, { ...wanted, ...progress }), {
    verb: 'pull',
    reference: image,
    quiet,
    env,
  });
  output.print(formatReference(parseReference(image)));
  return 0;
}
