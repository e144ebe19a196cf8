import { writeFileSync } from 'node:fs';
import { createContainer } from '../../containers/create.ts';
import type { Invocation } from '../command.ts';
import { reserveCidfile } from '../container/cidfile.ts';
import { type CreateOptions, containerOptions } from '../container/options.ts';

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<CreateOptions, { image: string; command: readonly string[] }>): Promise<number> {
  const request = containerOptions(options, args, env);
  reserveCidfile(options.cidfile);
  const { id } = await createContainer(request);
  if (options.cidfile !== undefined) writeFileSync(options.cidfile, id);
  output.print(id);
  return 0;
}
