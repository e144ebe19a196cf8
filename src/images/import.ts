import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
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
 * Makes an image of one layer out of a tar of a whole file system, as `docker export` writes it; gzip is recognised.
 *
 * @throws MayflyError `image.bad-reference`, `image.no-such-file`, `layer.refused`, `layer.no-space`
 */
export async function importTarball(
  store: ImageStore,
  tarball: string | Readable,
  options: ImportOptions,
): Promise<Image> {
  const { reference, config = {}, ...task } = options;
  using _hold = await store.hold({ signal: task.signal });
  const layer = await store.layers.importTar(
    typeof tarball === 'string' ? await open(tarball) : tarball,
    task,
  );
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
