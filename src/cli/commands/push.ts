import { pushImage } from '../../containers/images/transfer-images.ts';
import { parseReference } from '../../images/reference/parse.ts';
import type { Invocation } from '../command.ts';
import { shownTransfer } from '../shown-transfer.ts';

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<{ quiet: boolean }, { image: string }>): Promise<number> {
  const { image } = args;
  const shown = { verb: 'push', reference: image, quiet: options.quiet, env } as const;
  const digest = await shownTransfer((progress) => pushImage(image, progress), shown);
  output.print(`${parseReference(image).tag ?? image}: digest: ${digest}`);
  return 0;
}
