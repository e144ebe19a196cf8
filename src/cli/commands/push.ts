import { pushImage } from '../../containers/images/transfer-images.ts';
import { parseReference } from '../../images/reference/parse.ts';
import type { Invocation } from '../command.ts';
import { showTransfer } from '../transfer-steps.ts';

export async function run({
  options,
  args,
  output,
}: Invocation<{ quiet: boolean }, { image: string }>): Promise<number> {
  const digest = await pushImage(args.image, options.quiet ? {} : { onProgress: showTransfer() });
  output.print(`${parseReference(args.image).tag ?? args.image}: digest: ${digest}`);
  return 0;
}
