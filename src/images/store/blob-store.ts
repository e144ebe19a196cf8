import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type GrowingFile, openGrowingFile } from '../../files/growing-file.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../support/error.ts';
import { matchesDigest, parseDigest } from '../digest.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import { syncDirectory } from './durable-file.ts';
import { fullDisk } from './full-disk.ts';
import type { StorePaths } from './layout.ts';
import { once } from './once.ts';

type Content = Pick<Descriptor, 'digest' | 'size'>;

/** Content by digest, in the OCI layout. Safe for many processes at once; what is there is whole and was verified. */
export interface BlobStore {
  has(content: Content): boolean;
  /** A small blob. @throws MayflyError `image.corrupt` when it is not there or not what its name says */
  read(digest: string): Buffer;
  stream(digest: string): Readable;
  /** The blob as a file that is whole, for a worker. @throws MayflyError `image.corrupt` when it is not there */
  open(digest: string): GrowingFile;
  /** Absolute paths of all blobs. */
  list(): string[];
  /**
   * Adds a blob that `fill` writes into an empty file, whose path it is told, and verifies itself. One process does it, others at the same time
   * wait; nothing is left of one that failed.
   *
   * @throws MayflyError `image.no-space`, and whatever `fill` throws
   */
  add(
    content: Content,
    fill: (file: FileHandle, path: string) => Promise<void>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
  /** Adds a blob that nobody knows yet: `fill` writes into a stream. @throws MayflyError `image.no-space` */
  addNew(fill: (stream: Writable) => Promise<void>): Promise<Content>;
  /** Adds a small blob whose digest has been checked. */
  addBytes(digest: string, bytes: Uint8Array): Promise<void>;
}

export function openBlobStore(paths: StorePaths): BlobStore {
  const has = ({ digest, size }: Content) =>
    statSync(paths.blob(digest), { throwIfNoEntry: false })?.size === size;

  async function add(
    content: Content,
    fill: (file: FileHandle, path: string) => Promise<void>,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const { algorithm, encoded } = parseDigest(content.digest);
    const temporary = join(paths.ingest, `${algorithm}-${encoded}`);
    const build = async () => {
      try {
        // What a killed process has left under this name is of no use: its tail may never have reached the disk.
        const file = await open(temporary, 'w', 0o600);
        try {
          await fill(file, temporary);
          await file.datasync();
        } finally {
          await file.close();
        }
        keep(temporary, content.digest);
        return true;
      } catch (error) {
        rmSync(temporary, { force: true });
        throw fullDisk(error);
      }
    };
    await once(`${temporary}.lock`, { lookup: async () => has(content) || undefined, build }, { signal });
  }

  async function addNew(fill: (stream: Writable) => Promise<void>): Promise<Content> {
    const temporary = join(paths.ingest, `new-${randomBytes(8).toString('hex')}`);
    const hash = createHash('sha256');
    let size = 0;
    const tap = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.length;
        done(null, chunk);
      },
    });
    try {
      const written = pipeline(tap, createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }));
      await Promise.all([fill(tap), written]);
      const digest = `sha256:${hash.digest('hex')}`;
      keep(temporary, digest);
      return { digest, size };
    } catch (error) {
      rmSync(temporary, { force: true });
      throw fullDisk(error);
    }
  }

  function keep(temporary: string, digest: string): void {
    const final = paths.blob(digest);
    renameSync(temporary, final);
    syncDirectory(dirname(final));
  }

  return {
    has,
    add,
    addNew,
    addBytes: (digest, bytes) =>
      add({ digest, size: bytes.length }, async (file) => {
        await file.writeFile(bytes);
      }),
    list: () =>
      readdirSync(paths.blobs, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
      ),
    read(digest) {
      const path = paths.blob(digest);
      let bytes: Buffer;
      try {
        bytes = readFileSync(path);
      } catch (cause) {
        if (isErrno(cause, 'ENOENT')) throw corrupt(digest, 'it is not there', cause);
        throw cause;
      }
      if (!matchesDigest(digest, bytes)) throw corrupt(digest, 'its content is not what its name says');
      return bytes;
    },
    stream(digest) {
      const path = paths.blob(digest);
      if (!existsSync(path)) throw corrupt(digest, 'it is not there');
      return createReadStream(path, { highWaterMark: 1 << 20 });
    },
    open(digest) {
      const path = paths.blob(digest);
      if (!existsSync(path)) throw corrupt(digest, 'it is not there');
      const blob = openGrowingFile(openSync(path, 'r'));
      blob.grown(fstatSync(blob.fd).size);
      blob.complete();
      return blob;
    },
  };
}

function corrupt(digest: string, why: string, cause?: unknown): MayflyError {
  return new MayflyError('image.corrupt', `the blob ${digest} in the local store is damaged: ${why}`, {
    cause,
    hint: 'remove the image and pull or import it again',
  });
}
