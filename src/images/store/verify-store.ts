import { createHash } from 'node:crypto';
import { createReadStream, lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ImageStore } from './image-store.ts';

/** One thing that is wrong with the store. */
export interface StoreProblem {
  /** Name or id of the image, digest of the blob, diffID of the layer. */
  readonly what: string;
  readonly why: string;
}

/**
 * Reads every blob again and follows every name to its layers. Nothing is changed.
 *
 * What is not needed by any image is no problem, it is garbage.
 */
export async function verifyStore(store: ImageStore): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  const check = (what: string, look: () => void) => {
    try {
      look();
    } catch (error) {
      problems.push({ what, why: error instanceof Error ? error.message : String(error) });
    }
  };
  for (const path of store.blobs.list()) {
    const digest = `${basename(dirname(path))}:${basename(path)}`;
    const hash = createHash(basename(dirname(path)));
    await pipeline(createReadStream(path), hash);
    if (hash.digest('hex') !== basename(path))
      problems.push({ what: digest, why: 'its content has another digest' });
  }
  for (const entry of store.index.read()) {
    check(entry.digest, () => {
      const { manifest } = store.packed.open(entry).packed!;
      for (const blob of [manifest.config, ...manifest.layers]) {
        if (!store.blobs.has(blob))
          throw new Error(`the blob ${blob.digest} is not there, or not of its size`);
      }
    });
  }
  for (const name of store.local.names()) {
    check(name, () => {
      for (const diffId of store.local.find(name)!.config.rootfs.diff_ids) {
        if (store.layers.get(diffId) === undefined) throw new Error(`the layer ${diffId} is gone`);
      }
    });
  }
  for (const { diffId, directory } of store.layers.list()) {
    check(diffId, () => {
      if (!lstatSync(directory).isDirectory()) throw new Error('its tree is no directory');
    });
  }
  return problems;
}
