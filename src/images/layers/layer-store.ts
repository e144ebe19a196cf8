import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import type { WorkerLauncher } from '../../files/launcher.ts';
import type { FileRequest, OpaqueAttribute } from '../../files/request.ts';
import { runFileWorker, startFileWorker } from '../../files/run-worker.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import type { Layer } from './layer.ts';
import { layerError } from './layer-error.ts';
import { openTemporary } from './temporary.ts';

/** 96 bits of the digest name the directory, so that 120 of them fit one page of mount data; layer.json has all of it. */
const NAME_DIGITS = 24;

export interface LayerTaskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the bytes of plain tar so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface ImportTarOptions extends LayerTaskOptions {
  /** What the layer has to be; another is refused. Default: whatever it is. */
  readonly diffId?: string | undefined;
}

/** The layers of one home, addressed by diffID; safe for any number of processes at once. */
export interface LayerStore {
  get(diffId: string): Layer | undefined;
  list(): Layer[];
  /** Takes a layer away, which nobody may be using. A crash leaves nothing that looks like one. */
  remove(layer: Layer): Promise<void>;
  /** Unpacks a tar, compressed or not. @throws MayflyError `layer.*` */
  importTar(tar: Readable, options?: ImportTarOptions): Promise<Layer>;
  /**
   * Makes a layer of an overlay's upper directory, which is moved away. The same content gives the same diffID.
   *
   * @throws MayflyError `layer.no-space`
   */
  commitUpper(upper: string, options?: LayerTaskOptions): Promise<Layer>;
  /** The same of an upper that stays where it is, because a container goes on with it. */
  copyUpper(upper: string, options?: LayerTaskOptions): Promise<Layer>;
  /** The plain tar of a layer; that of a committed one has its diffID. Fails as it is read. */
  openTar(layer: Pick<Layer, 'directory'>, options?: LayerTaskOptions): Readable;
}

/** How the files of layers are touched: by whom, and how overlay marks opaque directories for him. */
export interface LayerFiles {
  readonly launcher?: WorkerLauncher;
  /** Default: `trusted.overlay.opaque`, which takes root outside of any user namespace. */
  readonly opaque?: OpaqueAttribute;
}

export function openLayerStore(home: Home, files: LayerFiles = {}): LayerStore {
  const { launcher, opaque = 'trusted.overlay.opaque' } = files;
  const nameOf = (diffId: string) => diffId.slice('sha256:'.length, 'sha256:'.length + NAME_DIGITS);

  function get(diffId: string): Layer | undefined {
    const path = join(home.layers, nameOf(diffId));
    try {
      const record = JSON.parse(readFileSync(join(path, 'layer.json'), 'utf8')) as {
        diffId: string;
        size: number;
      };
      if (record.diffId === diffId) return { diffId, size: record.size, directory: join(path, 'fs') };
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
    throw new MayflyError('layer.name-collision', `another layer has the name of ${diffId}`, {
      hint: `remove ${path}`,
    });
  }

  /** Fills a directory under a temporary name and gives it its own when it is whole; the lock tells the living from the dead. */
  async function build(fill: (fs: string) => Promise<{ diffId: string; size: number }>): Promise<Layer> {
    await using temporary = await openTemporary(home.layers, launcher);
    const { path } = temporary;
    try {
      const { diffId, size } = await fill(join(path, 'fs'));
      writeFileSync(
        join(path, 'layer.json'),
        JSON.stringify({ diffId, size, created: new Date().toISOString() }),
      );
      // Before the rename, because after a power failure a name must not stand for files that never reached the disk.
      await execa('sync', ['--file-system', path]);
      const final = join(home.layers, nameOf(diffId));
      if (!existsSync(final)) renameOrYield(path, final);
      return get(diffId)!;
    } catch (error) {
      throw layerError(error);
    }
  }

  /** The digest and size of the layer that a worker makes of, or in, the directory `root`. */
  async function work(
    operation: 'unpack-layer' | 'digest-layer',
    options: LayerTaskOptions & { root: string; input?: Readable },
  ): Promise<{ diffId: string; size: number }> {
    const request: FileRequest = { operation, opaque };
    const { digest, size } = await runFileWorker(request, { ...options, launcher });
    return { diffId: digest!, size };
  }

  async function remove({ diffId }: Layer): Promise<void> {
    await using temporary = await openTemporary(home.layers, launcher);
    // In one step out of sight; the directory goes when there is time.
    renameSync(join(home.layers, nameOf(diffId)), join(temporary.path, 'removed'));
  }

  const openTar: LayerStore['openTar'] = ({ directory }, options = {}) =>
    startFileWorker({ operation: 'pack-layer', opaque }, { ...options, root: directory, launcher }).output;

  const importTar: LayerStore['importTar'] = (tar, { diffId, ...options } = {}) =>
    build(async (fs) => {
      mkdirSync(fs, { mode: 0o755 });
      const unpacked = await work('unpack-layer', { ...options, root: fs, input: tar });
      if (diffId === undefined || unpacked.diffId === diffId) return unpacked;
      throw new MayflyError(
        'layer.diff-id-mismatch',
        `the layer is ${unpacked.diffId}, and the image says that it is ${diffId}`,
        { hint: 'the image contradicts itself; do not use it' },
      );
    });

  return {
    get,
    remove,
    importTar,
    openTar,
    list: () =>
      readdirSync(home.layers).flatMap((name) => {
        const path = join(home.layers, name, 'layer.json');
        if (name.startsWith('tmp-') || !existsSync(path)) return [];
        return get((JSON.parse(readFileSync(path, 'utf8')) as { diffId: string }).diffId) ?? [];
      }),
    commitUpper: (upper, options = {}) =>
      build(async (fs) => {
        const digest = await work('digest-layer', { ...options, root: upper });
        renameSync(upper, fs);
        return digest;
      }),
    copyUpper: (upper, options = {}) => importTar(openTar({ directory: upper }, options), options),
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
