import { attachToContainer } from '../../containers/attach/attach.ts';
import { getContainer } from '../../containers/find.ts';
import { windowSize } from '../../kernel/terminal/own-terminal.ts';
import type { Invocation } from '../command.ts';
import { attend, UNREAD } from '../container/attend.ts';
import { requireTerminal } from '../terminal/require-terminal.ts';

type Options = { detachKeys: string; noStdin: boolean; sigProxy: string };

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { container: string }>): Promise<number> {
  await using container = await getContainer(args.container);
  const { process: of, openStdin } = container.parts.record.spec;
  const tty = of.terminal !== undefined;
  const interactive = openStdin && !options.noStdin;
  requireTerminal({ tty, interactive });
  const streams = await attachToContainer(container.parts);
  const size = windowSize(0);
  // Another size than it has, so that what fills the screen is drawn anew once it gets the right one.
  if (tty && size !== undefined) streams.resize({ rows: size.rows + 1, columns: size.columns + 1 });
  const sigProxy = options.sigProxy === 'true';
  const { detachKeys } = options;
  const end = await attend({
    container,
    streams,
    output,
    interactive,
    detachKeys,
    sigProxy,
    keepsInputOpen: true,
  });
  if (streams.missed > 0) output.warn(`mayfly: ${streams.missed} bytes came too fast and are not shown`);
  if (end === 'detached') return 0;
  if (end === 'unread') return UNREAD;
  return (await container.wait()).exitCode;
}
