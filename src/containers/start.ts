import { randomBytes } from 'node:crypto';
import { provideImage } from '../images/transfer/provide-image.ts';
import { createContainerDirectory, removeContainerDirectory } from '../runtime/state/container-store.ts';
import { withCleanup } from '../support/error.ts';
import { acquire } from './acquire.ts';
import { Container } from './container.ts';
import type { ContainerOptions } from './container-options.ts';
import { resolveDevices } from './devices.ts';
import { type Engine, openEngine } from './engine.ts';
import { hostDevices } from './host-devices.ts';
import { launchContainer, type Undo } from './launch.ts';
import { resolveLimits } from './limits/resolve-limits.ts';
import { claimName, inventName, releaseName } from './names.ts';
import { checkOptions } from './options.ts';
import { requirePlatform } from './platform.ts';
import { resolvePrivileges } from './privileges/resolve-privileges.ts';
import { isPresent, sweep } from './sweep.ts';
import { resolveSysctls } from './sysctls.ts';
import { Stopwatch } from './timeline/stopwatch.ts';
import { keepTimeline } from './timeline/timeline.ts';

/**
 * Starts a container and resolves when it is ready, as `waitFor` says.
 *
 * A failed start leaves nothing behind.
 *
 * @throws MayflyError of every area; see the codes in the README.
 */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const watch = new Stopwatch();
  checkOptions(options);
  options.signal?.throwIfAborted();
  const engine = openEngine();
  await sweep(engine);
  const undo: Undo[] = [];
  try {
    const container = await start(engine, { options, undo, watch });
    await container.waitUntilReady(options.waitFor, options.signal);
    watch.take('ready');
    keepTimeline(engine.home, container.parts.record, watch);
    return container;
  } catch (error) {
    throw await withCleanup(error, async () => {
      for (const step of undo.toReversed()) await step();
    });
  }
}

async function start(
  engine: Engine,
  { options, undo, watch }: { options: ContainerOptions; undo: Undo[]; watch: Stopwatch },
): Promise<Container> {
  const { home } = engine;
  // Until the container's record names its layers, nobody else knows that they are needed.
  using _hold = await engine.images.hold({ signal: options.signal });
  // 1. What can be refused without having made anything.
  requirePlatform(options.platform);
  watch.take('resolved');
  const image =
    typeof options.image === 'string'
      ? await provideImage(
          { store: engine.images, openRegistries: engine.openRegistries },
          { reference: options.image, policy: options.pull, signal: options.signal },
        )
      : options.image;
  watch.take('layered');
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

  // 3. What the kernel has to give; the rest is the runtime's.
  const acquired = await acquire(engine, { directory, options, image, limits, devices, privileges, undo });
  const launched = await launchContainer(engine, {
    name,
    createdAt: new Date(),
    options,
    image,
    reference: typeof options.image === 'string' ? options.image : (image.references[0] ?? image.id),
    restarts: 0,
    directory,
    acquired,
    undo,
  });
  return new Container({ ...launched, waitFor: options.waitFor });
}
