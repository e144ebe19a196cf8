import { randomBytes } from 'node:crypto';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { Event } from '../../kernel/processes/event.ts';
import { openChild } from '../../kernel/processes/pidfd.ts';
import { identifyProcess } from '../../kernel/processes/process-identity.ts';
import { createContainerDirectory, removeContainerDirectory } from '../../runtime/state/container-store.ts';
import { withCleanup } from '../../support/error.ts';
import { acquire } from '../acquire.ts';
import type { ContainerParts } from '../container-parts.ts';
import type { RecordedImage, RecordedOptions } from '../container-record.ts';
import { placeOf } from '../kept-place.ts';
import { type Spawned, spawnContainer, type Undo } from '../launch.ts';
import { openRecordedImage } from '../recorded-image.ts';
import { SPARE_LABEL, SUCCESSOR_LABEL } from '../spares/spare-label.ts';
import { layUpper } from '../upper.ts';

/** What a container is to be from then on. */
export interface Succession {
  readonly image: RecordedImage;
  readonly options: RecordedOptions;
}

/**
 * The next process tree of a running container, made ready beside the present one: with files of its own on another image, in a
 * directory of its own, in the container's network namespace. Its process begins when it has been told to, and when there is nothing
 * left of the present ones. It ends with this process.
 */
export class Successor {
  readonly #spawned: Spawned;
  readonly #go: Event;
  readonly #undo: readonly Undo[];
  #closing: Promise<void> | undefined;

  private constructor({ spawned, go, undo }: { spawned: Spawned; go: Event; undo: readonly Undo[] }) {
    this.#spawned = spawned;
    this.#go = go;
    this.#undo = undo;
    // Whoever wants to use it hears of it.
    spawned.shim.started.catch(() => {});
    spawned.shim.unref();
  }

  /**
   * Undefined when the container has ended, or ends just now. `held` is called as soon as what the container has of its network is
   * held, and its processes may end.
   *
   * @throws as a start does; MayflyError `network.forwarder-gone`
   */
  static async prepare(
    parts: ContainerParts,
    { image, options }: Succession,
    held: () => void = () => {},
  ): Promise<Successor | undefined> {
    const { engine, record, run } = parts;
    const { home, rung } = engine;
    const { spec } = record;
    const undo: Undo[] = [];
    const former = openChild(record.shimPid, run.pid);
    try {
      const kept = former === undefined ? undefined : placeOf(parts, { lent: true });
      if (former === undefined || kept === undefined) return undefined;
      undo.push(() => kept.attachment.cancel());
      undo.push(() => kept.publication[Symbol.dispose]());
      const go = new Event();
      undo.push(() => go[Symbol.dispose]());
      held();
      const id = randomBytes(32).toString('hex');
      const directory = createContainerDirectory(home, id);
      undo.push(() => removeContainerDirectory(home, { id, launcher: rung.launcher }));
      undo.push(() => directory.lock.release());
      // No garbage is collected between here and the record.
      using _hold = await engine.images.hold();
      const opened = openRecordedImage(engine, image);
      await layUpper(engine, { directory: directory.path, layers: opened.layers });
      // Until it is the container's nobody is to see it, nor is it to outlive us.
      const labels = { ...options.labels, [SPARE_LABEL]: spec.id, [SUCCESSOR_LABEL]: spec.id };
      const passing = { hostname: spec.hostname, detached: false, labels };
      const request = { directory, image: opened, options: { ...options, ...passing, image: opened }, undo };
      const { cgroup, devices, privileges } = spec;
      const { limits } = cgroup;
      const acquired = await acquire(engine, { ...request, limits, devices, privileges, kept });
      const spawned = await spawnContainer(engine, {
        ...request,
        name: record.name,
        createdAt: new Date(record.createdAt),
        reference: image.reference,
        restarts: record.restarts,
        acquired,
        former: {
          pidfd: former,
          go: go.fd,
          log: spec.log.path,
          copied: limits.pids ? [] : (parts.copied ?? []),
        },
      });
      return new Successor({ spawned, go, undo });
    } catch (error) {
      throw await withCleanup(error, () => undoAll(undo));
    } finally {
      if (former !== undefined) closeDescriptor(former);
    }
  }

  /** Whether it still waits to be told to begin: nobody has killed it, and its program has come so far. */
  get waits(): boolean {
    return identifyProcess(this.#spawned.shim.pid) !== undefined;
  }

  /** Lets its process begin. Resolves when it runs, which it does when there is nothing left of the former ones. @throws as a start does */
  begin(): Promise<ContainerParts> {
    this.#spawned.shim.ref();
    this.#go.give();
    return this.#spawned.started();
  }

  /** Of one that has become the container: what only its beginning needed. */
  taken(): void {
    this.#go[Symbol.dispose]();
  }

  /** Takes it away; twice is no error. */
  close(): Promise<void> {
    this.#closing ??= undoAll(this.#undo);
    return this.#closing;
  }
}

async function undoAll(undo: readonly Undo[]): Promise<void> {
  for (const step of undo.toReversed()) await step();
}
