import { openSync } from 'node:fs';
import { type GrowingFile, openGrowingFile } from '../../files/growing-file.ts';
import type { Layer } from '../layers/layer.ts';

type Unpack = (openBlob: () => GrowingFile, signal: AbortSignal) => Promise<Layer>;

/**
 * A layer that is unpacked while its blob is still on its way. Its worker ends only when the blob is whole and has been
 * verified, so nothing of one that is not becomes a layer.
 */
export class Arrival {
  /** The layer; undefined when its blob did not have to come. */
  unpacked: Promise<Layer> | undefined;
  readonly #unpack: Unpack;

  constructor(unpack: Unpack) {
    this.#unpack = unpack;
  }

  /**
   * Unpacks what `receive` writes into the file at `path`; that it resolves means that the blob is what it should be. What
   * is wrong with a blob explains what is wrong with its layer, so all of it is received, whatever becomes of the other.
   */
  async follow(path: string, receive: (grown: (size: number) => void) => Promise<void>): Promise<void> {
    // Opened now: once it is received, it is elsewhere.
    const blob = openGrowingFile(openSync(path, 'r'));
    const stop = new AbortController();
    const unpacked = this.#unpack(() => blob, stop.signal).finally(() => blob[Symbol.dispose]());
    // Whoever waits for the layer hears of it.
    unpacked.catch(() => {});
    this.unpacked = unpacked;
    try {
      await receive((size) => blob.grown(size));
      blob.complete();
    } catch (error) {
      stop.abort(error);
      await unpacked.catch(() => {});
      throw error;
    }
  }
}
