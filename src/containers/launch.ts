import type { Image } from '../images/store/image.ts';
import { identifyProcess } from '../kernel/processes/process-identity.ts';
import type { ShimProcess } from '../runtime/launch/shim-process.ts';
import { startContainerProcess } from '../runtime/launch/start-container.ts';
import type { ContainerDirectory } from '../runtime/state/container-store.ts';
import type { ContainerOptions } from './container-options.ts';
import type { ContainerParts } from './container-parts.ts';
import { type ContainerRecord, newRecord, writeRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { openEvents } from './events.ts';
import { resolveHealthCheck } from './health/health-check.ts';
import { watchHealth } from './health/watch-health.ts';
import { type Acquired, resolveSpec } from './resolve.ts';
import { Run } from './run.ts';
import { openSharedNamespaces } from './shared-namespaces.ts';
import { openUserNamespace } from './user-namespace.ts';

/** Undoes what a start has done so far, latest first. */
export type Undo = () => void | Promise<void>;

export interface Launch {
  readonly name: string;
  readonly createdAt: Date;
  readonly options: ContainerOptions;
  readonly image: Image;
  /** What the image was named by. */
  readonly reference: string;
  readonly restarts: number;
  /** Held by the shim instead of us from then on, for exactly as long as it lives. */
  readonly directory: ContainerDirectory;
  /** A socket at which a client is attached from the start; the caller's. Default: none. */
  readonly attached?: number | undefined;
  /** Whose place the container takes. Default: nobody's. */
  readonly former?: Former | undefined;
  readonly acquired: Omit<Acquired, 'id' | 'directory' | 'image'>;
}

/** A process tree in whose place another one is made ready. */
export interface Former {
  /** Of its init; the caller's, as all of these. */
  readonly pidfd: number;
  /** Events: the container's process may begin when the former one has ended, or even before. */
  readonly go: number;
  readonly beside: number;
  /** Absolute paths of files that it has written to when it began, as the next one will. */
  readonly copied: readonly string[];
}

/** A container whose shim is at work. */
export interface Spawned {
  readonly shim: ShimProcess;
  /** Resolves when its process runs. To be called once. @throws ProgramError; CommandError when the image's command cannot be run */
  started(): Promise<ContainerParts>;
}

/** Has a shim run the container for which everything has been acquired, and resolves when its process runs. @throws as spawnContainer and started do */
export async function launchContainer(
  engine: Engine,
  launch: Launch & { undo: Undo[] },
): Promise<ContainerParts> {
  return (await spawnContainer(engine, launch)).started();
}

/** The same without waiting. @throws MayflyError `image.bad-health-check` */
export async function spawnContainer(
  engine: Engine,
  {
    name,
    createdAt,
    options,
    image,
    reference,
    restarts,
    directory,
    acquired,
    attached,
    former,
    undo,
  }: Launch & { undo: Undo[] },
): Promise<Spawned> {
  const { attachment, publication, adoption } = acquired;
  const healthCheck = resolveHealthCheck(options.healthCheck, image.config.Healthcheck);
  const { id, path } = directory;
  using shared = await openSharedNamespaces(engine, options);
  const spec = resolveSpec(engine, { options, acquired: { ...acquired, id, directory: path, image } });
  // What is shared with other containers belongs to their user namespace.
  const joined = attachment.fds.network ?? Object.values(shared.fds)[0];
  using userns = openUserNamespace(engine, { ids: spec.ids, joined });
  const { pid: launcherPid, startTime } = identifyProcess(process.pid)!;
  let record: ContainerRecord | undefined;
  const shim = startContainerProcess(spec, {
    binary: engine.binary,
    host: engine.host,
    lockFd: directory.lock.fd,
    networkFds: attachment.fds,
    sharedFds: shared.fds,
    userns: userns.fd,
    listeners: [...publication.listeners.map(({ fd }) => fd), ...(adoption ? [adoption.theirs] : [])],
    attached,
    former,
    chooseFailpoint: engine.failpoints.start,
    // Before the program, so that no container runs of which there is no record, whenever we are killed.
    onSpawned: (shimPid, held) => {
      record = newRecord({
        name,
        createdAt: createdAt.toISOString(),
        startedAt: new Date().toISOString(),
        restarts,
        launcher: { pid: launcherPid, startTime, held },
        shimPid,
        image: {
          id: image.id,
          reference,
          config: image.config,
          layers: image.layers.map(({ diffId }) => diffId),
        },
        options,
        spec,
        attachment: attachment.facts,
        published: publication.ports,
      });
      writeRecord(engine.home, record);
    },
  });
  undo.push(async () => {
    shim.close();
    await shim.exited;
  });
  directory.lock.release();
  // The forwarder has them from now on.
  publication[Symbol.dispose]();
  adoption?.launched();
  return {
    shim,
    async started() {
      const pid = await shim.started;
      attachment.started(shim.pid);
      const run = new Run({ pid, supervision: shim, ours: true, adoption });
      const parts = { engine, events: openEvents(), record: record!, run };
      if (healthCheck !== undefined) run.health = watchHealth(parts, healthCheck);
      return parts;
    },
  };
}
