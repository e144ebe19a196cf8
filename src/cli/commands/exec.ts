import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { startExec } from '../../containers/exec/start.ts';
import { getContainer } from '../../containers/find.ts';
import type { Invocation } from '../command.ts';
import { parseEnvironment } from '../environment.ts';
import type { Output } from '../output.ts';

type Options = {
  env: readonly string[];
  interactive: boolean;
  user: string | undefined;
  workdir: string | undefined;
};

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<Options, { container: string; command: readonly string[] }>): Promise<number> {
  const { user, workdir, interactive } = options;
  await using container = await getContainer(args.container);
  const { shim, stdin, stdout, stderr } = await startExec(container.parts, {
    argv: args.command,
    env: parseEnvironment(options.env, env),
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { cwd: workdir }),
  });
  const input = createWriteStream('', { fd: stdin });
  // A command that ends before it has read everything is no failure.
  input.on('error', () => {});
  const outputs = [copy(stdout, 'stdout', output), copy(stderr, 'stderr', output)];
  await shim.started;
  if (interactive) pipeline(process.stdin, input).catch(() => {});
  else input.end();
  const { exitCode } = await shim.exited;
  await Promise.all(outputs);
  process.stdin.unref?.();
  return exitCode;
}

async function copy(fd: number, stream: 'stdout' | 'stderr', output: Output): Promise<void> {
  for await (const bytes of createReadStream('', { fd })) output.write(stream, bytes as Buffer);
}
