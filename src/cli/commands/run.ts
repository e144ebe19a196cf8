import { writeFileSync } from 'node:fs';
import type { AttachedStreams } from '../../containers/attach/attached-streams.ts';
import type { Container } from '../../containers/container.ts';
import { detachContainer, keepContainer } from '../../containers/detach.ts';
import { startAttached, startContainer } from '../../containers/start.ts';
import { forHealthCheck } from '../../containers/wait/health-check.ts';
import type { Invocation } from '../command.ts';
import { attend, UNREAD } from '../container/attend.ts';
import { reserveCidfile } from '../container/cidfile.ts';
import { type CreateOptions, containerOptions } from '../container/options.ts';
import { forwardSignals } from '../container/signals.ts';
import type { Output } from '../output.ts';
import { isPreset, startByName } from '../preset-start.ts';
import { isSnapshot, startSnapshot } from '../snapshot-start.ts';
import { requireTerminal } from '../terminal/require-terminal.ts';
import { UsageError } from '../usage-error.ts';

type Options = CreateOptions & { detach: boolean; detachKeys: string; sigProxy: string; wait: boolean };

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
    return detach ? leave(container, output) : follow(container, { rm, output });
  }
  if (detach) {
    if (request.healthCheck && !options.wait)
      output.warn('mayfly: with -d nobody checks the health; --wait waits until it is healthy');
    const waiting = options.wait ? { waitFor: forHealthCheck() } : {};
    const container = await startContainer({ ...request, ...waiting, image, detached: true });
    started(container);
    return leave(container, output);
  }
  const { container, streams } = await startAttached({ ...request, image });
  started(container);
  return stay(container, { streams, options, output });
}

async function leave(container: Container, output: Output): Promise<number> {
  output.print(container.id);
  await container[Symbol.asyncDispose]();
  return 0;
}

/** Is where the container is, until it ends or is left by the detach keys. */
async function stay(
  container: Container,
  { streams, options, output }: { streams: AttachedStreams; options: Options; output: Output },
): Promise<number> {
  const { interactive, detachKeys, rm } = options;
  try {
    const sigProxy = options.sigProxy === 'true';
    const end = await attend({ container, streams, output, interactive, detachKeys, sigProxy });
    if (end !== 'detached') return await settle(container, { unread: end === 'unread', rm });
    detachContainer(container.parts);
    return 0;
  } finally {
    await container[Symbol.asyncDispose]();
  }
}

/** The same for one that had begun before anybody could attach. */
async function follow(
  container: Container,
  { rm, output }: { rm: boolean; output: Output },
): Promise<number> {
  using _signals = forwardSignals(container);
  try {
    for await (const { stream, text } of container.logs({ follow: true })) output.write(stream, `${text}\n`);
    return await settle(container, { unread: false, rm });
  } finally {
    await container[Symbol.asyncDispose]();
  }
}

/** What is not removed stays, to be looked at. */
async function settle(
  container: Container,
  { unread, rm }: { unread: boolean; rm: boolean },
): Promise<number> {
  // The way of a pipeline: who writes for nobody is ended.
  if (unread) await container.kill();
  const { exitCode } = await container.wait();
  // No other container comes after it, and the kernel ends its network while we remove the rest.
  container.parts.engine.networks.letGo();
  await (rm ? container.remove() : keepContainer(container.parts));
  return unread ? UNREAD : exitCode;
}
