/** What a transfer is doing at a moment, layer by layer. */
export interface TransferProgress {
  /** Reference, in full. */
  readonly reference: string;
  /** Digest of the layer's blob. */
  readonly layer: string;
  readonly phase: 'download' | 'unpack' | 'upload' | 'done';
  /** Bytes of this phase so far; of `unpack`, bytes of the plain tar. */
  readonly bytes: number;
  /** Bytes of the blob. */
  readonly totalBytes: number;
}

export type OnTransferProgress = (progress: TransferProgress) => void;
