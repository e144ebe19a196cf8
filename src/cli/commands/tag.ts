import { tagImage } from '../../containers/images/local-images.ts';
import type { Invocation } from '../command.ts';

export async function run({ args }: Invocation<object, { image: string; name: string }>): Promise<number> {
  await tagImage(args.image, args.name);
  return 0;
}
