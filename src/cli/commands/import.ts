import { importImage } from '../../presets/import-image.ts';
import type { Invocation } from '../command.ts';

export async function run({
  args,
  output,
}: Invocation<object, { file: string; name: string }>): Promise<number> {
  const { id } = await importImage(args.file === '-' ? process.stdin : args.file, { reference: args.name });
  output.print(id);
  return 0;
}
