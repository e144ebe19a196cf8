import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { GrowingFile } from '../../files/growing-file.ts';
import type { WorkerLauncher } from '../../files/launcher.ts';
import { moveTree } from '../../files/move-tree.ts';
import type { FileReport, FileRequest, MountStub, OpaqueAttribute } from '../../files/request.ts';
import { runFileWorker, startFileWorker } from '../../files/run-worker.ts';
import { openTemporary, type TemporaryDirectory } from '../../files/temporary.ts';
import type { Placement } from '../../files/unpack/placement.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError, withCleanup } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import { type StoreProblem, unlessDamaged } from '../store/problem.ts';
import type { Layer } from './layer.ts';
import { layerError } from './layer-error.ts';
import { type LayerRecord, readLayerRecord, writeLayerRecord } from './layer-record.ts';

/** 96 bits of the digest name the directory, so that 120 of them fit one page of mount data; layer.json has all of it. */
const NAME_DIGITS = 24;

export interface LayerTaskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the bytes of plain tar so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface ImportTarOptions extends LayerTaskOptions {
  /** What the layers that it will stand on say about it. Default: nothing. */
  readonly place?: Placement;
  /**
   * What the layer has to be; another is refused. Default: what {@link LayerStore.openTar} makes of it again, since the tar
   * that came is not kept, and whoever gets the layer from here gets that one.
   */
  readonly diffId?: string | undefined;
}

export interface CommitUpperOptions extends LayerTaskOptions {
  /** What was made in it only to mount on it, and is left out. Default: none. */
  readonly stubs?: readonly MountStub[];
}

/** The layers of one home, addressed by diffID; safe for any number of processes at once. */
export interface LayerStore {
  /** How its layers mark opaque directories. */
  readonly opaque: OpaqueAttribute;
  /** @throws MayflyError `layer.corrupt`, `layer.name-collision` */
  get(diffId: string): Layer | undefined;
  /** Those whose records cannot be read are left out, and reported. */
  list(report?: (problem: StoreProblem) => void): Layer[];
  /** Takes a layer away, which nobody may be using. A crash leaves nothing that looks like one. */
  remove(layer: Layer): Promise<void>;
  /** Unpacks a tar, compressed or not; of a file that is not whole yet, as it comes. @throws MayflyError `layer.*` */
  importTar(tar: Readable | GrowingFile, options?: ImportTarOptions): Promise<Layer>;
  /**
   * Makes a layer of an overlay's upper directory, which is moved away. The same content gives the same diffID.
   *
   * @throws MayflyError `layer.no-space`
   */
  commitUpper(upper: string, options?: CommitUpperOptions): Promise<Layer>;
  /** The same of an upper that stays where it is, because a container goes on with it. */
  copyUpper(upper: string, options?: LayerTaskOptions): Promise<Layer>;
  /** The plain tar of a layer; that of one in `packed` form has its diffID. Fails as it is read. */
  openTar(layer: Pick<Layer, 'directory'>, options?: LayerTaskOptions): Readable;
  /** How its tree and its diffID belong together; undefined for layers of mayfly 0.1. */
  formOf(diffId: string): LayerRecord['form'];
  /** The digest of that tar. */
  digestTree(layer: Pick<Layer, 'directory'>, options?: LayerTaskOptions): Promise<string>;
  /** Unpacks a tar to throw it away: its diffID, and the {@link digestTree} of what it unpacks to. @throws MayflyError `layer.*` */
  unpackAside(tar: Readable, options?: LayerTaskOptions): Promise<{ diffId: string; tree: string }>;
  /** {@link copyUpper} for a while: the tree is `fs` in a directory that goes with what is returned. @throws MayflyError `layer.*` */
  copyAside(upper: string, options?: LayerTaskOptions): Promise<TemporaryDirectory>;
}

/** How the files of layers are touched: by whom, and how overlay marks opaque directories for him. */
export interface LayerFiles {
  readonly launcher?: WorkerLauncher;
  /** Default: `trusted.overlay.opaque`, which takes root outside of any user namespace. */
  readonly opaque?: OpaqueAttribute;
}

interface UnpackTask {
  readonly input: Readable | GrowingFile;
  readonly repack: boolean;
  readonly place?: Placement | undefined;
  readonly durable: boolean;
}

export function openLayerStore(home: Home, files: LayerFiles = {}): LayerStore {
  const { launcher, opaque = 'trusted.overlay.opaque' } = files;
  const nameOf = (diffId: string) => diffId.slice('sha256:'.length, 'sha256:'.length + NAME_DIGITS);

  const directoryOf = (diffId: string) => join(home.layers, nameOf(diffId));

  function get(diffId: string): Layer | undefined {
    const path = directoryOf(diffId);
    const record = readLayerRecord(path);
    if (record === undefined) return undefined;
    const { size, implied } = record;
    if (record.diffId === diffId)
      return { diffId, size, directory: join(path, 'fs'), ...(implied ? { implied } : {}) };
    throw new MayflyError('layer.name-collision', `another layer has the name of ${diffId}`, {
      hint: `remove ${path}`,
    });
  }

  /** Fills a directory under a temporary name and gives it its own when it is whole; the lock tells the living from the dead. */
  async function build(fill: (fs: string) => Promise<LayerRecord>): Promise<Layer> {
    await using temporary = await openTemporary(home.layers, launcher);
    const { path } = temporary;
    try {
      const record = await fill(join(path, 'fs'));
      // Before the rename, because after a power failure a name must not stand for files that never reached the disk. The
      // worker has seen to all others.
      writeLayerRecord(path, record);
      const final = directoryOf(record.diffId);
      if (!existsSync(final)) renameOrYield(path, final);
      return get(record.diffId)!;
    } catch (error) {
      throw layerError(error);
    }
  }

  /** Unpacks into a directory that is new; with `repack`, digests what the directory makes as well. */
  async function unpack(
    directory: string,
    { input, repack, place, durable, ...options }: LayerTaskOptions & UnpackTask,
  ): Promise<LayerRecord & { repacked: string | undefined }> {
    mkdirSync(directory, { mode: 0o755 });
    const from = 'lengths' in input ? 'file' : 'stdin';
    const { digest, size, repacked, implied } = await runFileWorker(
      { operation: 'unpack-layer', opaque, from, repack, place, durable },
      { ...options, root: directory, input, launcher },
    );
    return { diffId: digest!, size, repacked, ...(implied ? { implied } : {}) };
  }

  async function digestUpper(
    root: string,
    { stubs = [], durable, ...options }: CommitUpperOptions & { durable: boolean },
  ): Promise<LayerRecord> {
    const request: FileRequest = { operation: 'digest-layer', opaque, stubs, durable };
    const { digest, size } = await runFileWorker(request, { ...options, root, launcher });
    return { diffId: digest!, size, form: 'packed' };
  }

  function copy(
    upper: string,
    directory: string,
    { durable, ...options }: LayerTaskOptions & { durable: boolean },
  ): Promise<FileReport> {
    mkdirSync(directory, { mode: 0o755 });
    const request: FileRequest = { operation: 'copy-layer', opaque, durable };
    return runFileWorker(request, { ...options, root: upper, target: directory, launcher });
  }

  async function remove({ diffId }: Layer): Promise<void> {
    await using temporary = await openTemporary(home.layers, launcher);
    // In one step out of sight; the directory goes when there is time.
    renameSync(directoryOf(diffId), join(temporary.path, 'removed'));
  }

  const openTar: LayerStore['openTar'] = ({ directory }, options = {}) =>
    startFileWorker({ operation: 'pack-layer', opaque }, { ...options, root: directory, launcher }).output;

  const importTar: LayerStore['importTar'] = (tar, { diffId, ...options } = {}) =>
    build(async (fs) => {
      const repack = diffId === undefined;
      const { repacked, ...unpacked } = await unpack(fs, { ...options, input: tar, repack, durable: true });
      if (repacked !== undefined) return { ...unpacked, diffId: repacked, form: 'packed' };
      if (unpacked.diffId === diffId) return { ...unpacked, form: 'unpacked' };
      throw new MayflyError(
        'layer.diff-id-mismatch',
        `the layer is ${unpacked.diffId}, and the image says that it is ${diffId}`,
        { hint: 'the image contradicts itself; do not use it' },
      );
    });

  return {
    opaque,
    get,
    remove,
    importTar,
    openTar,
    formOf: (diffId) => readLayerRecord(directoryOf(diffId))?.form,
    digestTree: async ({ directory }, options = {}) =>
      (await digestUpper(directory, { ...options, durable: false })).diffId,
    async unpackAside(tar, options = {}) {
      await using temporary = await openTemporary(home.layers, launcher);
      try {
        const aside = await unpack(join(temporary.path, 'fs'), {
          ...options,
          input: tar,
          repack: true,
          durable: false,
        });
        return { diffId: aside.diffId, tree: aside.repacked! };
      } catch (error) {
        throw layerError(error);
      }
    },
    async copyAside(upper, options = {}) {
      const temporary = await openTemporary(home.layers, launcher);
      try {
        await copy(upper, join(temporary.path, 'fs'), { ...options, durable: false });
        return temporary;
      } catch (error) {
        throw await withCleanup(layerError(error), () => temporary[Symbol.asyncDispose]());
      }
    },
    list: (report = () => {}) =>
      readdirSync(home.layers).flatMap((name) => {
        if (name.startsWith('tmp-')) return [];
        const path = join(home.layers, name);
        const find = () => {
          const record = readLayerRecord(path);
          return record && get(record.diffId);
        };
        return unlessDamaged(path, find, report) ?? [];
      }),
    commitUpper: (upper, options = {}) =>
      build(async (fs) => {
        const record = await digestUpper(upper, { ...options, durable: true });
        await moveTree({ from: upper, to: fs, launcher });
        return record;
      }),
    copyUpper: (upper, options = {}) =>
      build(async (fs) => {
        const { digest, size } = await copy(upper, fs, { ...options, durable: true });
        return { diffId: digest!, size, form: 'packed' };
      }),
  };
}

/** Somebody else may have put the same layer there in the meantime, which is as good. */
function renameOrYield(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}
