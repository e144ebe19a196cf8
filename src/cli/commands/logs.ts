import { getContainer } from '../../containers/find.ts';
import type { Invocation } from '../command.ts';
import { parseMoment } from '../moment.ts';
import { UsageError } from '../usage-error.ts';

type Options = { follow: boolean; since: string | undefined; tail: string; timestamps: boolean };

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { container: string }>): Promise<number> {
  const { follow, since, tail, timestamps } = options;
  const wanted = {
    follow,
    ...(since === undefined ? {} : { since: parseMoment(since) }),
    ...(tail === 'all' ? {} : { tail: parseCount(tail) }),
  };
  await using container = await getContainer(args.container);
  for await (const { stream, time, text } of container.logs(wanted))
    output.write(stream, `${timestamps ? `${time.toISOString()} ` : ''}${text}\n`);
  return 0;
}

function parseCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`not a number of lines: ${text}`, "write a whole number, or 'all'");
}
