import type { Readable } from 'node:stream';
import { openEngine } from '../containers/engine.ts';
import { type ImportOptions, importTarball } from '../images/import.ts';
import type { Image } from '../images/store/image.ts';

/** {@link importTarball} into the store of this process's home. */
export function importImage(tarball: string | Readable, options: ImportOptions): Promise<Image> {
  return importTarball(openEngine().images, tarball, options);
}
