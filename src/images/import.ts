import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { decompressByProgram } from '../files/unpack/by-program.ts';
import { MayflyError } from '../support/error.ts';
import type { LayerTaskOptions } from './layers/layer-store.ts';
import type { Image, ImageConfig } from './store/image.ts';
import type { ImageStore } from './store/image-store.ts';

export interface ImportOptions extends LayerTaskOptions {
  /** Name to give the image: `my/app:1`. */
  readonly reference: string;
  /** Default: none; then the command has to be given at each start. */
  readonly config?: ImageConfig;
}

/**
 * Makes an image of one layer out of a tar of a whole file system, as `docker export` writes it: plain, or
 * compressed with gzip, zstd, xz or bzip2.
 *
 * @throws MayflyError `image.bad-reference`, `image.no-such-file`, `layer.refused`, `layer.no-space`,
 * `layer.unsupported-compression` for xz and bzip2 where there is no program of that name
 */
export async function importTarball(
  store: ImageStore,
  tarball: string | Readable,
  options: ImportOptions,
): Promise<Image> {
  const { reference, config = {}, ...task } = options;
  using _hold = await store.hold({ signal: task.signal });
  const stream = typeof tarball === 'string' ? await open(tarball) : tarball;
  const tar = Readable.from(decompressByProgram(stream as AsyncIterable<Buffer>), { objectMode: false });
  const layer = await store.layers.importTar(tar, task);
  return await store.put({ reference, config, layers: [layer] });
}

/** Resolves when the file is open, so that a wrong path is no matter of reading. */
function open(path: string): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const stream = createReadStream(path);
    stream.once('open', () => resolve(stream));
    stream.once('error', (cause) => {
      reject(new MayflyError('image.no-such-file', `cannot open ${path}`, { cause, hint: 'check the path' }));
    });
  });
}
