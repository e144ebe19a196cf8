import { identifyProcess } from '../kernel/processes/process-identity.ts';
import { endedSupervision } from '../runtime/launch/supervision.ts';
import { Container } from './container.ts';
import type { ContainerOptions } from './container-options.ts';
import { newRecord, writeRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { openEvents } from './events.ts';
import type { Undo } from './launch.ts';
import { lastExit } from './remains.ts';
import type { Acquired } from './resolve.ts';
import { resolveSpec } from './resolve.ts';
import { endedRun, Run } from './run.ts';
import { prepare, undoing } from './start.ts';
import { Stopwatch } from './timeline/stopwatch.ts';
import { acquireIds } from './user-namespace.ts';

/**
 * Makes a container that is there, and listed, but does not run until `start`: with its name and its directory, and without anything
 * of the kernel's, of which that takes care. It is detached.
 *
 * @throws as startContainer does
 */
export function createContainer(options: ContainerOptions): Promise<Container> {
  const lasting = { ...options, detached: true };
  return undoing(lasting, (engine, undo) => create(engine, { options: lasting, undo }));
}

async function create(
  engine: Engine,
  { options, undo }: { options: ContainerOptions; undo: Undo[] },
): Promise<Container> {
  using _hold = await engine.images.hold({ signal: options.signal });
  const { image, reference, name, directory, ...prepared } = await prepare(engine, {
    options,
    undo,
    watch: new Stopwatch(),
  });
  const { id, path } = directory;
  const ids = acquireIds(engine, { id, options });
  const spec = resolveSpec(engine, {
    options,
    acquired: { ...prepared, ...nothingYet(options), id, directory: path, image, ids },
  });
  const now = new Date().toISOString();
  const { pid, startTime } = identifyProcess(process.pid)!;
  const record = newRecord({
    name,
    createdAt: now,
    startedAt: now,
    restarts: -1,
    launcher: { pid, startTime, held: undefined },
    shimPid: 0,
    image: {
      id: image.id,
      reference,
      config: image.config,
      layers: image.layers.map(({ diffId }) => diffId),
    },
    options,
    spec,
    attachment: nothingYet(options).attachment.facts,
    published: [],
  });
  // There is nothing to give back when it is removed before it has run.
  const kept = { ...record, released: true };
  writeRecord(engine.home, kept);
  directory.lock.release();
  const exit = lastExit(kept);
  const run = new Run({ pid: 0, supervision: endedSupervision(exit), ours: false });
  run.exit = endedRun(exit);
  return new Container({ engine, events: openEvents(), record: kept, run });
}

/** No address, no cgroup, no ports. */
function nothingYet({
  network = 'default',
}: ContainerOptions): Pick<Acquired, 'attachment' | 'publication' | 'adoption' | 'cgroup' | 'files'> {
  const nothing = () => {};
  const none = undefined;
  return {
    attachment: {
      facts: { networkName: network, ip: none, prefix: none, gateway: none, mac: none },
      fds: {},
      steps: { host: network === 'host', prepare: nothing, connect: nothing },
      started: nothing,
      cancel: nothing,
    },
    publication: { ports: [], listeners: [], [Symbol.dispose]: nothing },
    adoption: none,
    cgroup: {
      unified: none,
      directories: [],
      writes: [],
      joinFiles: [],
      oomFile: none,
      oomNotice: none,
      possible: [],
      counts: false,
      remove: async () => {},
    },
    files: new Map(),
  };
}
