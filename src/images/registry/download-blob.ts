import type { FileHandle } from 'node:fs/promises';
import { hashFor } from '../digest.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import { type RetryOptions, withRetry } from './http/retry.ts';
import type { RegistryClient } from './registry-client.ts';
import { RegistryError } from './registry-error.ts';

/** So much between two failures counts as progress. */
const PROGRESS = 1 << 20;

export interface DownloadOptions {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** An empty file, open for writing. */
  readonly file: FileHandle;
  readonly retry: Omit<RetryOptions, 'signal' | 'progressed'>;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes that are there so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Downloads a blob into a file, going on where it was when the connection breaks, and checks its size and digest. On
 * failure the file holds rubbish.
 *
 * @throws RegistryError `registry.digest-mismatch`, `registry.size-mismatch`, and as the client does
 */
export async function downloadBlob(client: RegistryClient, options: DownloadOptions): Promise<void> {
  const { descriptor, retry, signal } = options;
  const download = new Download(client, options);
  let before = 0;
  const progressed = () => {
    const enough = download.received - before >= PROGRESS;
    if (enough) before = download.received;
    return enough;
  };
  await withRetry(() => download.receive(), { ...retry, signal, progressed });
  const computed = download.digest();
  if (computed === descriptor.digest) return;
  throw new RegistryError(
    'registry.digest-mismatch',
    `${client.host} sent ${computed} where ${descriptor.digest} was asked for`,
    {
      host: client.host,
      hint: 'the registry, or somebody between it and you, changed it; nothing of it is used',
    },
  );
}

class Download {
  received = 0;
  readonly #client: RegistryClient;
  readonly #options: DownloadOptions;
  readonly #hash;

  constructor(client: RegistryClient, options: DownloadOptions) {
    this.#client = client;
    this.#options = options;
    this.#hash = hashFor(options.descriptor.digest);
  }

  digest(): string {
    const [algorithm] = this.#options.descriptor.digest.split(':');
    return `${algorithm}:${this.#hash.digest('hex')}`;
  }

  /** One connection's worth. Resolves when all has come. */
  async receive(): Promise<void> {
    const { descriptor, file, signal, onProgress } = this.#options;
    const { digest, size } = descriptor;
    if (this.received === size && size > 0) return;
    const {
      body,
      offset,
      size: announced,
    } = await this.#client.openBlob(digest, { offset: this.received, signal });
    // A registry that does not know ranges begins at the front: what is there already is passed over.
    let skip = this.received - offset;
    try {
      if (announced !== undefined && announced !== size)
        throw this.#wrongSize(`announces ${announced} bytes`);
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const news = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - news.length;
        if (this.received + news.length > size) throw this.#wrongSize('sends more bytes');
        this.#hash.update(news);
        await writeAll(file, news);
        this.received += news.length;
        onProgress?.(this.received);
      }
    } finally {
      body.destroy();
    }
    if (this.received === size) return;
    const { host } = this.#client;
    throw new RegistryError(
      'registry.broken-connection',
      `${host} ended ${digest} after ${this.received} of ${size} bytes`,
      { host },
    );
  }

  #wrongSize(what: string): RegistryError {
    const { host } = this.#client;
    const { digest, size } = this.#options.descriptor;
    return new RegistryError('registry.size-mismatch', `${host} ${what} for ${digest}, which has ${size}`, {
      host,
    });
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
}
