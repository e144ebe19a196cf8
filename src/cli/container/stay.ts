import type { AttachedStreams } from '../../containers/attach/attached-streams.ts';
import type { Container } from '../../containers/container.ts';
import { detachContainer, keepContainer } from '../../containers/detach.ts';
import type { Output } from '../output.ts';
import { attend, UNREAD } from './attend.ts';
import { forwardSignals } from './signals.ts';

export interface StayOptions {
  readonly interactive: boolean;
  readonly detachKeys: string;
  readonly sigProxy: string;
  readonly rm: boolean;
}

/** Is where the container is, until it ends or is left by the detach keys. Result: the exit code. */
export async function stay(
  container: Container,
  { streams, options, output }: { streams: AttachedStreams; options: StayOptions; output: Output },
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
export async function follow(
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
  await (rm ? container.remove() : keepContainer(container.parts));
  return unread ? UNREAD : exitCode;
}
