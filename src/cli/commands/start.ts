import { attachToContainer } from '../../containers/attach/attach.ts';
import { withStreams } from '../../containers/attach/start-attached.ts';
import type { Container } from '../../containers/container.ts';
import { getContainer } from '../../containers/find.ts';
import { startAgain } from '../../containers/restart.ts';
import { settleContainer } from '../../containers/stop.ts';
import type { Invocation } from '../command.ts';
import { attend, UNREAD } from '../container/attend.ts';
import { eachContainer } from '../each.ts';
import { requireTerminal } from '../terminal/require-terminal.ts';
import { UsageError } from '../usage-error.ts';

type Options = { attach: boolean; detachKeys: string; interactive: boolean; sigProxy: string };

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { container: readonly string[] }>): Promise<number> {
  if (!options.attach && !options.interactive)
    return eachContainer(args.container, (container) => container.start(), output);
  if (args.container.length > 1)
    throw new UsageError(
      'only one container can be attached to',
      'leave out -a and -i, or name one container',
    );
  await using container = await getContainer(args.container[0]!);
  const { spec } = container.parts.record;
  const interactive = options.interactive && spec.openStdin;
  requireTerminal({ tty: spec.process.terminal !== undefined, interactive });
  const streams = await openStreams(container);
  if (!interactive) streams.stdin.end();
  const end = await attend({
    container,
    streams,
    output,
    interactive,
    detachKeys: options.detachKeys,
    sigProxy: options.sigProxy === 'true',
  });
  if (end === 'detached') return 0;
  if (end === 'unread') return UNREAD;
  const { exitCode } = await container.wait();
  await (container.parts.record.options.autoRemove ? container.remove() : settleContainer(container.parts));
  return exitCode;
}

/** From the first byte on, unless it runs already. */
async function openStreams(container: Container) {
  if (container.parts.run.exit === undefined) return attachToContainer(container.parts);
  const { streams } = await withStreams((attached) => startAgain(container.parts, { attached }));
  return streams;
}
