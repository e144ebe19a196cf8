import { randomBytes } from 'node:crypto';
import { provideShown } from '../images/transfer/provide-shown.ts';
import { createContainerDirectory, removeContainerDirectory } from '../runtime/state/container-store.ts';
import { withCleanup } from '../support/error.ts';
import { acquire } from './acquire.ts';
import type { AttachedStreams } from './attach/attached-streams.ts';
import { withStreams } from './attach/start-attached.ts';
import type { Container } from './container.ts';
import type { ContainerOptions } from './container-options.ts';
import { resolveDevices } from './devices.ts';
import { type Engine, openEngine } from './engine.ts';
import { hostDevices } from './host-devices.ts';
import { type Launch, spawnContainer, type Undo } from './launch.ts';
import { resolveLimits } from './limits/resolve-limits.ts';
import { claimName, inventName, releaseName } from './names.ts';
import { checkOptions } from './options.ts';
import { requireImagePlatform, requirePlatform } from './platform.ts';
import { resolvePrivileges } from './privileges/resolve-privileges.ts';
import { isPresent, sweep } from './sweep.ts';
import { resolveSysctls } from './sysctls.ts';
import { Stopwatch } from './timeline/stopwatch.ts';
import { keepTimeline } from './timeline/timeline.ts';
import { layUpper } from './upper.ts';

/**
 * Starts a container and resolves when it is ready, as `waitFor` says.
 *
 * A failed start leaves nothing behind.
 *
 * @throws MayflyError of every area; see the codes in the README.
 */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  return begin(options, {});
}

/**
 * The same with the streams of the first process, of which nothing is missed: it waits while nobody reads them.
 *
 * @throws as startContainer does
 */
export async function startAttached(
  options: ContainerOptions,
): Promise<{ container: Container; streams: AttachedStreams }> {
  const { started, streams } = await withStreams((attached) => begin(options, { attached }));
  return { container: started, streams };
}

function begin(options: ContainerOptions, { attached }: Pick<Launch, 'attached'>): Promise<Container> {
  const watch = new Stopwatch();
  return undoing(options, async (engine, undo) => {
    const container = await start(engine, { options, undo, watch, attached });
    await container.waitUntilReady(options.waitFor, options.signal);
    watch.take('ready');
    keepTimeline(engine.home, container.parts.record, watch);
    return container;
  });
}

/** Opens the engine for what is about to be made; a failure takes back what has been made by then. */
export async function undoing(
  options: ContainerOptions,
  make: (engine: Engine, undo: Undo[]) => Promise<Container>,
): Promise<Container> {
  checkOptions(options);
  options.signal?.throwIfAborted();
  const engine = openEngine();
  await sweep(engine);
  const undo: Undo[] = [];
  try {
    return await make(engine, undo);
  } catch (error) {
    throw await withCleanup(error, async () => {
      for (const step of undo.toReversed()) await step();
    });
  }
}

async function start(
  engine: Engine,
  {
    options,
    undo,
    watch,
    attached,
  }: { options: ContainerOptions; undo: Undo[]; watch: Stopwatch } & Pick<Launch, 'attached'>,
): Promise<Container> {
  // Until the container's record names its layers, nobody else knows that they are needed.
  using _hold = await engine.images.hold({ signal: options.signal });
  const prepared = await prepare(engine, { options, undo, watch });

  // 3. What the kernel has to give; the rest is the runtime's.
  const request = { ...prepared, options, undo, mayDetach: attached !== undefined };
  const acquired = await acquire(engine, request);
  const createdAt = new Date();
  const spawned = await spawnContainer(engine, { ...request, createdAt, restarts: 0, acquired, attached });
  // The class meanwhile: what it leads to takes longer to load than all that has been needed so far.
  const [launched, { Container }] = await Promise.all([spawned.started(), containerClass()]);
  return new Container({ ...launched, waitFor: options.waitFor });
}

/** On its own, because tsc does not rewrite the name of a file that is imported where something is used up (`using`). */
const containerClass = () => import('./container.ts');

/** What a container is before it runs. The directory's lock is held. */
export async function prepare(
  engine: Engine,
  { options, undo, watch }: { options: ContainerOptions; undo: Undo[]; watch: Stopwatch },
) {
  const { home } = engine;
  // 1. What can be refused without having made anything.
  requirePlatform(options.platform);
  watch.take('resolved');
  const image =
    typeof options.image === 'string'
      ? await provideShown(
          { store: engine.images, openRegistries: engine.openRegistries },
          { reference: options.image, policy: options.pull, signal: options.signal },
        )
      : options.image;
  requireImagePlatform(image);
  watch.take('layered');
  const reference = typeof options.image === 'string' ? options.image : (image.references[0] ?? image.id);
  const id = randomBytes(32).toString('hex');
  const name = options.name ?? inventName(id);
  const limits = resolveLimits(options, home.containers);
  const privileges = resolvePrivileges(options);
  const devices = [...(privileges.privileged ? hostDevices() : []), ...resolveDevices(options.devices)];
  resolveSysctls(options);

  // 2. The directory, held by its lock from the first instant; then the name, which points to a living container.
  const directory = createContainerDirectory(home, id);
  undo.push(() => removeContainerDirectory(home, { id, launcher: engine.rung.launcher }));
  undo.push(() => directory.lock.release());
  claimName(home, { name, id, isPresent: (holder) => isPresent(home, holder) });
  undo.push(() => releaseName(home, { name, id }));
  await layUpper(engine, { directory: directory.path, layers: image.layers });
  return { image, reference, name, limits, privileges, devices, directory };
}
