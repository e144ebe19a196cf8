import { randomBytes } from 'node:crypto';
import { join, relative } from 'node:path';
import { identifyProcess } from '../../kernel/processes/process-identity.ts';
import { overlayOptions } from '../../runtime/compile/overlay-options.ts';
import { copyTree } from '../../runtime/launch/copy-tree.ts';
import type { ContainerParts } from '../container-parts.ts';
import { standingStill } from '../pause.ts';
import { requireRunning } from '../running.ts';
import { upperOf } from '../upper.ts';
import { sealSnapshot } from './seal-snapshot.ts';
import { makeSnapshot } from './snapshot-files.ts';
import { checkSnapshotName, nameSnapshot } from './snapshot-names.ts';
import { directoryOf, type SnapshotRecord, treeOf, VERSION, writeSnapshot } from './snapshot-record.ts';

export interface SnapshotOptions {
  /**
   * `copy`: the container stands still while its files are copied, or shared where the file system can (reflink). `seal`: the
   * container is stopped, its files become the snapshot without being copied, and it starts again on top of it; that takes the
   * same time however much it has written. Default: `copy`.
   */
  readonly method?: 'copy' | 'seal';
  /**
   * How many copies to keep started, ready and frozen, so that `restore` and `start` hand one over at once. They live in this process
   * until the snapshot is removed, take a quarter of the memory that is available at most, and are replaced as they are taken. Where
   * there is no cgroup to freeze, as for an ordinary user, they run on instead.
   * Default: the container's option `spares`.
   */
  readonly spares?: number;
  /** Ends the snapshot; the container goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Takes a snapshot of a container. A failure leaves the container running and nothing else.
 *
 * @throws MayflyError `container.too-many-layers` where nothing could stand on it
 */
export async function takeSnapshot(
  parts: ContainerParts,
  { name, method = 'copy', signal }: SnapshotOptions & { name?: string | undefined },
): Promise<SnapshotRecord> {
  if (name !== undefined) checkSnapshotName(name);
  await requireRunning(parts, 'taking a snapshot of it');
  signal?.throwIfAborted();
  const describe = newSnapshot(parts);
  requireRoom(parts, describe('copy'));
  const record =
    method === 'seal' ? await sealSnapshot(parts, describe) : await copySnapshot(parts, { describe, signal });
  if (name !== undefined) nameSnapshot(parts.engine.home, name, record.id);
  return record;
}

/** What a snapshot that is about to be taken is, but for how. */
export type DescribeSnapshot = (method: SnapshotRecord['method']) => SnapshotRecord;

function newSnapshot({ record, service }: ContainerParts): DescribeSnapshot {
  const id = randomBytes(12).toString('hex');
  const { image, options, spec, name } = record;
  const { pid, startTime } = identifyProcess(process.pid)!;
  const { waitFor: _, ...again } = service?.again ?? {};
  return (method) => ({
    version: VERSION,
    id,
    createdAt: new Date().toISOString(),
    method,
    owner: { pid, startTime },
    container: { id: spec.id, name },
    image: { ...image, layers: [...image.layers, treeOf(id)] },
    options: { ...options, ...again },
    service: service?.origin,
  });
}

/** Before the container has been stopped, because it could not start again on top of what it had written. */
function requireRoom({ engine: { home }, record }: ContainerParts, { id }: SnapshotRecord): void {
  const { rootfs } = record.spec;
  const layer = relative(home.layers, join(directoryOf(home, id), 'fs'));
  // Whoever starts from it may be an ordinary user.
  overlayOptions({ ...rootfs, layers: [...rootfs.layers, layer] }, ['userxattr']);
}

function copySnapshot(
  parts: ContainerParts,
  { describe, signal }: { describe: DescribeSnapshot; signal: AbortSignal | undefined },
): Promise<SnapshotRecord> {
  const { engine } = parts;
  const from = upperOf(parts);
  return makeSnapshot(engine, async (directory) => {
    const request = {
      binary: engine.binary,
      from,
      to: join(directory, 'fs'),
      userns: engine.rung.userns(),
      signal,
    };
    const record = describe(await standingStill(parts, () => copyTree(request)));
    writeSnapshot(directory, record);
    return record;
  });
}
