import { loadImages } from '../../containers/images/transfer-images.ts';
import type { Invocation } from '../command.ts';

type Options = { input: string | undefined; quiet: boolean };

export async function run({ options, output }: Invocation<Options>): Promise<number> {
  // A name that stood for something else goes over, as with docker.
  const names = await loadImages(options.input ?? process.stdin, { overwrite: true });
  for (const name of names)
    output.print(name.startsWith('sha256:') ? `Loaded image ID: ${name}` : `Loaded image: ${name}`);
  return 0;
}
