import { openExecStream } from '../../containers/exec/exec-stream.ts';
import {
  type ExecIdentity,
  startExec,
  startExecDetached,
  startExecOnTerminal,
} from '../../containers/exec/start.ts';
import { openTerminalStream } from '../../containers/exec/terminal-stream.ts';
import { getContainer } from '../../containers/find.ts';
import { resolveTerminal } from '../../containers/terminal.ts';
import { windowSize } from '../../kernel/terminal/own-terminal.ts';
import type { Invocation } from '../command.ts';
import { readEnvironment } from '../environment.ts';
import { requireTerminal } from '../terminal/require-terminal.ts';
import { runSession } from '../terminal/session.ts';

type Options = {
  detach: boolean;
  detachKeys: string;
  env: readonly string[];
  envFile: readonly string[];
  interactive: boolean;
  privileged: boolean;
  tty: boolean;
  user: string | undefined;
  workdir: string | undefined;
};

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<Options, { container: string; command: readonly string[] }>): Promise<number> {
  const { tty, interactive, detach, detachKeys } = options;
  if (!detach) requireTerminal(options);
  await using container = await getContainer(args.container);
  const { parts } = container;
  const terminal = tty ? (windowSize(0) ?? resolveTerminal(true)!) : undefined;
  const request = { argv: args.command, ...identityOf(options, env) };
  if (detach) {
    await startExecDetached(parts, { ...request, terminal });
    return 0;
  }
  const stream =
    terminal === undefined
      ? await openExecStream(await startExec(parts, request), {})
      : await openTerminalStream(await startExecOnTerminal(parts, { ...request, terminal }), {});
  if (!interactive) stream.stdin.end();
  const end = await runSession({ streams: stream, output, tty, interactive, detachKeys });
  if (end === 'ended') return (await stream.exited).exitCode;
  stream.detach();
  return 0;
}

function identityOf(options: Options, env: NodeJS.ProcessEnv): ExecIdentity {
  const { user, workdir, privileged } = options;
  return {
    env: readEnvironment(options, env),
    privileged,
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { cwd: workdir }),
  };
}
