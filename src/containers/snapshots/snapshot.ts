import type { Image } from '../../images/store/image.ts';
import type { CommitOptions } from '../commit.ts';
import type { Container } from '../container.ts';
import type { ContainerOptions } from '../container-options.ts';
import type { FileChange } from '../diff.ts';
import type { Engine } from '../engine.ts';
import type { Service } from '../service.ts';
import type { SparePool } from '../spares/spare-pool.ts';
import { becomeContainer, closeSpares, openSpares } from '../spares/spares.ts';
import type { WaitStrategy } from '../wait/strategy.ts';
import { commitSnapshot } from './commit-snapshot.ts';
import { diffSnapshot, diffSnapshots } from './diff-snapshots.ts';
import { disownSnapshot, removeSnapshot } from './snapshot-files.ts';
import { snapshotNames } from './snapshot-names.ts';
import type { SnapshotMethod, SnapshotRecord } from './snapshot-record.ts';
import { startFromSnapshot } from './start-from-snapshot.ts';

/** What a copy is to have otherwise than the container that the snapshot is of. */
export type SnapshotStartOptions = Partial<Omit<ContainerOptions, 'image' | 'pull' | 'platform'>>;

/** What a handle is made of; the last two are known only to the process that took the snapshot, or that has been told. */
export interface SnapshotParts {
  readonly engine: Engine;
  readonly record: SnapshotRecord;
  readonly waitFor?: WaitStrategy | undefined;
  readonly service?: Service | undefined;
}

/**
 * What a container had written at one instant, on what it stood on. Immutable; any number of containers begin with it.
 *
 * One with a name is there until it is removed, for all processes of the home. One without goes when its handle is disposed of, or
 * when the process that took it has ended and nothing stands on it any longer.
 */
export class Snapshot<C extends Container = Container> implements AsyncDisposable {
  /** 24 hexadecimal digits. */
  readonly id: string;
  readonly method: SnapshotMethod;
  readonly createdAt: Date;
  readonly #parts: SnapshotParts;

  constructor(parts: SnapshotParts) {
    const { id, method, createdAt } = parts.record;
    this.#parts = parts;
    this.id = id;
    this.method = method;
    this.createdAt = new Date(createdAt);
  }

  /** The name that it has now; undefined when it never had one, or a newer one has it. */
  get name(): string | undefined {
    return snapshotNames(this.#parts.engine.home).get(this.id);
  }

  /** The container that it was taken of. */
  get container(): { readonly id: string; readonly name: string } {
    return this.#parts.record.container;
  }

  /**
   * Starts a further container from the same state, with an address, a name and host ports of its own; otherwise with the options
   * of the container that the snapshot is of, but for those given here. Resolves when it is ready.
   *
   * @throws as startContainer; MayflyError `container.layer-gone` when the snapshot has been removed
   */
  async start(options: SnapshotStartOptions = {}): Promise<C> {
    // A spare ends with this process, and so does its address.
    const isCopy = Object.keys(options).length === 0 && this.#parts.record.options.detached !== true;
    const spare = isCopy ? this.#spares?.take() : undefined;
    if (spare !== undefined) return becomeContainer(spare) as C;
    return (await startFromSnapshot(this.#parts, options)) as C;
  }

  /**
   * Keeps so many copies ready from now on, and resolves when they are, or when there is no memory for more.
   *
   * @throws whatever the start of a copy threw
   */
  async keepSpares(count: number): Promise<void> {
    const pool = openSpares(this.#parts, count);
    await pool?.fill();
    if (pool?.failure !== undefined) throw pool.failure;
  }

  get #spares(): SparePool | undefined {
    return this.#parts.engine.spares.get(this.id);
  }

  /**
   * The snapshot as an image: another machine that pulls it starts from the same state.
   *
   * @throws MayflyError `image.bad-reference`, `build.*` for a bad change, `layer.*`
   */
  commit(reference?: string, options: Omit<CommitOptions, 'pause'> = {}): Promise<Image> {
    return commitSnapshot(this.#parts, { ...options, reference });
  }

  /**
   * What it has otherwise than `other`, sorted by path; without one, than what its container stood on, as `docker diff` tells. A
   * directory in which something changed has changed; of what a deleted one held nothing is said.
   *
   * @throws MayflyError `container.layer-gone`, `layer.*`
   */
  diff(other?: Snapshot): Promise<FileChange[]> {
    const { engine, record } = this.#parts;
    if (other === undefined) return diffSnapshot(engine, record);
    return diffSnapshots(engine, { from: other.parts.record, to: record });
  }

  /**
   * Removes it, its name included; removing twice is no error.
   *
   * @throws MayflyError `snapshot.in-use` while a container or another snapshot stands on it
   */
  async remove(): Promise<void> {
    await closeSpares(this.#parts.engine, this.id);
    await removeSnapshot(this.#parts.engine, this.id);
  }

  /** Ends its spares, and removes it unless it has a name; one that something stands on goes with the last that does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await closeSpares(this.#parts.engine, this.id);
    if (this.name === undefined) await disownSnapshot(this.#parts.engine, this.id);
  }

  /** For functions of mayfly that do more with a snapshot than its handle does. @internal */
  get parts(): SnapshotParts {
    return this.#parts;
  }
}
