import { writeFileSync } from 'node:fs';
import type { Container } from '../../containers/container.ts';
import { startAttached, startContainer } from '../../containers/start.ts';
import type { WaitStrategy } from '../../containers/wait/strategy.ts';
import type { Invocation } from '../command.ts';
import { reserveCidfile } from '../container/cidfile.ts';
import { type CreateOptions, containerOptions } from '../container/options.ts';
import type { StayOptions } from '../container/stay.ts';
import type { Output } from '../output.ts';
import { isPreset, startByName } from '../preset-start.ts';
import { isSnapshot, startSnapshot } from '../snapshot-start.ts';
import { requireTerminal } from '../terminal/require-terminal.ts';
import { UsageError } from '../usage-error.ts';

type Options = CreateOptions & StayOptions & { detach: boolean; wait: boolean };

/** While the container is at work already. */
const staying = () => import('../container/stay.ts');

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<Options, { image: string; command: readonly string[] }>): Promise<number> {
  const { detach, rm, cidfile } = options;
  if (!detach) requireTerminal(options);
  if (options.wait && !detach)
    throw new UsageError('--wait is for a container that is detached', 'give -d too');
  const { image, ...request } = containerOptions(options, args, env);
  reserveCidfile(cidfile);
  const started = (container: Container) => {
    if (cidfile !== undefined) writeFileSync(cidfile, container.id);
  };
  const byName = isPreset(args.image, request)
    ? startByName
    : isSnapshot(args.image, request)
      ? startSnapshot
      : undefined;
  if (byName !== undefined) {
    const container = await byName(args.image, { options: { ...request, detached: detach }, output });
    started(container);
    return detach ? leave(container, output) : (await staying()).follow(container, { rm, output });
  }
  if (detach) {
    if (request.healthCheck && !options.wait)
      output.warn('mayfly: with -d nobody checks the health; --wait waits until it is healthy');
    const waiting = options.wait ? { waitFor: await healthy() } : {};
    const container = await startContainer({ ...request, ...waiting, image, detached: true });
    started(container);
    return leave(container, output);
  }
  const { container, streams } = await startAttached({ ...request, image });
  started(container);
  const { stay } = await staying();
  return stay(container, { streams, options, output });
}

async function healthy(): Promise<WaitStrategy> {
  const { forHealthCheck } = await import('../../containers/wait/health-check.ts');
  return forHealthCheck();
}

async function leave(container: Container, output: Output): Promise<number> {
  output.print(container.id);
  await container[Symbol.asyncDispose]();
  return 0;
}
