import { each } from './each.ts';
import type { Output } from './output.ts';
import { compileTemplate } from './template/render.ts';

/** Prints what is known of things by name: one array of JSON, or each by a template, as docker inspect does. */
export async function printInspected(
  names: readonly string[],
  {
    inspect,
    format,
    output,
  }: { inspect: (name: string) => Promise<unknown>; format: string | undefined; output: Output },
): Promise<number> {
  const render = format === undefined || format === 'json' ? undefined : compileTemplate(format);
  const found: unknown[] = [];
  const exitCode = await each(
    names,
    async (name) => {
      const info = await inspect(name);
      if (render === undefined) found.push(info);
      else output.print(render(info));
    },
    output,
  );
  if (render === undefined) output.print(JSON.stringify(found, null, format === 'json' ? 0 : 4));
  return exitCode;
}
