import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../../support/home.ts';
import { parseDigest } from '../digest.ts';
import { writeDurably } from './durable-file.ts';

/** Where the store of one home keeps what. */
export interface StorePaths {
  /** An OCI image layout (image-spec, image-layout.md): other tools may read it, and write to it. */
  readonly layout: string;
  readonly blobs: string;
  readonly index: string;
  readonly indexLock: string;
  /** Blobs on their way in, and their locks. Within the layout's file system, because they are renamed into it. */
  readonly ingest: string;
  /** Names of images that have no blobs, because they were made here. */
  readonly names: string;
  /** Configurations of those. */
  readonly configs: string;
  /** Layers by what they stand on, where that matters. */
  readonly placed: string;
  /** Held shared by whoever needs what is in the store to stay, and exclusively by the collection of garbage. */
  readonly holdLock: string;
  blob(digest: string): string;
}

export function openStorePaths(home: Home): StorePaths {
  const layout = join(home.images, 'oci');
  const paths: StorePaths = {
    layout,
    blobs: join(layout, 'blobs'),
    index: join(layout, 'index.json'),
    indexLock: join(home.images, 'index.lock'),
    ingest: join(home.images, 'ingest'),
    names: join(home.images, 'names'),
    configs: join(home.images, 'configs'),
    placed: join(home.images, 'placed'),
    holdLock: join(home.images, 'hold.lock'),
    blob(digest) {
      const { algorithm, encoded } = parseDigest(digest);
      return join(layout, 'blobs', algorithm, encoded);
    },
  };
  for (const directory of [
    paths.ingest,
    paths.names,
    paths.configs,
    join(layout, 'blobs/sha256'),
    join(layout, 'blobs/sha512'),
  ])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  const marker = join(layout, 'oci-layout');
  if (!existsSync(marker)) writeDurably(marker, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return paths;
}
