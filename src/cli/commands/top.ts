import { execFileSync } from 'node:child_process';
import { getContainer } from '../../containers/find.ts';
import { containerPids } from '../../containers/processes.ts';
import type { Invocation } from '../command.ts';
import { UsageError } from '../usage-error.ts';

/** Shows what the host's ps says of the container's processes, as docker does; nothing of the image's is run. */
export async function run({
  args,
  output,
}: Invocation<object, { container: string; psOptions: readonly string[] }>): Promise<number> {
  await using container = await getContainer(args.container);
  const { psOptions } = args;
  const [heading = '', ...lines] = hostProcesses(psOptions.length === 0 ? ['-ef'] : psOptions);
  const column = heading.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new UsageError('ps shows no column PID', 'leave it in, such as in -eo pid,comm');
  const pids = new Set(await containerPids(container.parts));
  output.print(heading);
  for (const line of lines) if (pids.has(Number(line.trim().split(/\s+/)[column]))) output.print(line);
  return 0;
}

function hostProcesses(options: readonly string[]): string[] {
  try {
    const text = execFileSync('ps', options, {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return text.trimEnd().split('\n');
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    const why = code === 'ENOENT' ? 'this machine has no ps' : String(stderr).trim().split('\n')[0];
    throw new UsageError(`ps ${options.join(' ')} failed: ${why}`, 'install procps, or see ps(1)');
  }
}
