import { randomBytes } from 'node:crypto';
import { closeDescriptor } from '../../kernel/ffi/descriptor.ts';
import { Event } from '../../kernel/processes/event.ts';
import { openChild } from '../../kernel/processes/pidfd.ts';
import { identifyProcess } from '../../kernel/processes/process-identity.ts';
import { createContainerDirectory, removeContainerDirectory } from '../../runtime/state/container-store.ts';
import { withCleanup } from '../../support/error.ts';
import { acquire } from '../acquire.ts';
import type { ContainerParts } from '../container-parts.ts';
import { expectRecord, type RecordedImage, type RecordedOptions } from '../container-record.ts';
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
 * directory of its own, in the container's network namespace. Its process begins when it has been told to, and when the present ones
 * have ended or are in nobody's way. It ends with this process.
 */
export class Successor {
  readonly #spawned: Spawned;
  readonly #events: { readonly go: Event; readonly beside: Event };
  readonly #undo: readonly Undo[];
  #closing: Promise<void> | undefined;

  private constructor({
    spawned,
    events,
    undo,
  }: {
    spawned: Spawned;
    events: { readonly go: Event; readonly beside: Event };
    undo: readonly Undo[];
  }) {
    this.#spawned = spawned;
    this.#events = events;
    this.#undo = undo;
    // Whoever wants to use it hears of it.
    spawned.shim.started.catch(() => {});
    spawned.shim.unref();
  }

  /**
   * Undefined when the container has ended, or ends just now. `held` is called as soon as what the container has of its network is
   * held, and its processes may end. Default: they go on.
   *
   * @throws as a start does; MayflyError `network.forwarder-gone`
   */
  static async prepare(
    parts: ContainerParts,
    { image, options }: Succession,
    held: () => Promise<void> = async () => {},
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
      const beside = new Event();
      undo.push(() => beside[Symbol.dispose]());
      await held();
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
          beside: beside.fd,
          copied: limits.pids ? [] : (parts.copied ?? []),
        },
      });
      expectRecord(home, id);
      return new Successor({ spawned, events: { go, beside }, undo });
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

  /**
   * Lets its process begin: `beside` the former ones, or else when there is nothing left of them. Resolves when it runs.
   *
   * @throws as a start does
   */
  begin({ beside }: { beside: boolean }): Promise<ContainerParts> {
    this.#spawned.shim.ref();
    if (beside) this.#events.beside.give();
    this.#events.go.give();
    return this.#spawned.started();
  }

  /** Of one that has become the container: what only its beginning needed. */
  taken(): void {
    for (const event of Object.values(this.#events)) event[Symbol.dispose]();
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
