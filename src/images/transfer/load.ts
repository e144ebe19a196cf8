import { posix } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { FileError } from '../../files/file-error.ts';
import { TarReader } from '../../files/tar/reader.ts';
import { decompressByProgram } from '../../files/unpack/by-program.ts';
import { decompress } from '../../files/unpack/decompress.ts';
import { MayflyError } from '../../support/error.ts';
import { ZodError, z } from '../../support/zod.ts';
import { digestOf } from '../digest.ts';
import { type Descriptor, descriptorSchema } from '../manifest/descriptor.ts';
import { MEDIA_TYPES } from '../manifest/media-types.ts';
import { formatReference, parseReference } from '../reference/parse.ts';
import { MAX_DOCUMENT } from '../registry/http/response-body.ts';
import type { ImageStore } from '../store/image-store.ts';
import { REF_NAME } from '../store/index-file.ts';
import { indexEntry } from '../store/packed-images.ts';
import type { StoredImage } from '../store/stored-image.ts';
import { named } from './transfer-error.ts';

/** Where containerd keeps the whole name, when the other annotation has only the tag. */
const CONTAINERD_NAME = 'io.containerd.image.name';
const MAGIC: readonly (readonly [string, Buffer])[] = [
  [MEDIA_TYPES.gzipLayer, Buffer.from([0x1f, 0x8b])],
  [MEDIA_TYPES.zstdLayer, Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];

const indexSchema = z.object({ manifests: z.array(descriptorSchema()) });
const dockerSchema = z.array(
  z.object({ Config: z.string(), RepoTags: z.nullish(z.array(z.string())), Layers: z.array(z.string()) }),
);

export interface LoadRequest {
  readonly from: Readable;
  /** False: a name that stands for another image here is an error (CVE-2026-50195). */
  readonly overwrite: boolean;
  readonly signal?: AbortSignal | undefined;
}

interface Loaded {
  readonly entry: Descriptor;
  readonly names: readonly string[];
}

/**
 * Reads images out of a tar as `docker save`, skopeo and {@link saveToArchive} write it: docker-archive or an OCI layout, plain
 * or compressed with gzip, zstd, xz or bzip2. It is read once, from front to back; no path in it ever becomes one on disk.
 *
 * @throws MayflyError `image.bad-archive`, `image.name-taken`; TransferError `image.*`, `layer.*`, naming the image and the layer
 */
export async function loadFromArchive(
  store: ImageStore,
  { from, overwrite, signal }: LoadRequest,
): Promise<StoredImage[]> {
  using _hold = await store.hold({ signal });
  const archive = await readArchive(store, from);
  const images =
    archive.has('index.json') && archive.has('oci-layout')
      ? ociImages(archive)
      : await dockerImages(store, archive);
  const opened: (Loaded & { stored: StoredImage })[] = [];
  for (const image of images) {
    const reference = image.names[0] ?? image.entry.digest;
    const stored = await named({ verb: 'load', reference }, async () => store.packed.open(image.entry));
    opened.push({ ...image, stored });
  }
  for (const { names, stored } of opened) {
    for (const name of names) if (!overwrite) refuseTaken(store, { name, id: stored.id });
  }
  // Unpacked before they are named, because that is how their diffIDs are checked.
  for (const { names, stored } of opened) await store.open({ ...stored, name: names[0] }, { signal });
  for (const { entry, names } of opened) await store.addPacked(entry, names);
  return opened.flatMap(({ stored, names }): StoredImage[] =>
    names.length === 0 ? [stored] : names.map((name) => ({ ...stored, name })),
  );
}

interface ArchivedFile {
  readonly digest: string;
  readonly size: number;
  /** Of small files. */
  readonly bytes: Buffer | undefined;
  readonly mediaType: string;
}

/** Every file of the archive, by its path, kept as a blob. */
async function readArchive(store: ImageStore, from: Readable): Promise<ReadonlyMap<string, ArchivedFile>> {
  const files = new Map<string, ArchivedFile>();
  const links = new Map<string, string>();
  try {
    const reader = new TarReader(decompress(decompressByProgram(from as AsyncIterable<Buffer>)));
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      const path = posix.normalize(entry.name);
      if (entry.type === 'file') files.set(path, await keep(store, { path, reader }));
      else if (entry.type === 'symlink') links.set(path, posix.join(posix.dirname(path), entry.linkname));
      else if (entry.type === 'link') links.set(path, posix.normalize(entry.linkname));
    }
  } catch (error) {
    if (error instanceof FileError) throw badArchive(error.message, error);
    throw error;
  }
  // Old versions of Docker write a layer that is there twice as a link. One step is all that they need.
  for (const [path, target] of links) {
    const file = files.get(target);
    if (file !== undefined) files.set(path, file);
  }
  return files;
}

async function keep(
  store: ImageStore,
  { path, reader }: { path: string; reader: TarReader },
): Promise<ArchivedFile> {
  const small: Buffer[] = [];
  let head = Buffer.alloc(0);
  let size = 0;
  // A blob is what its name says; a layer of docker-archive may be compressed in any way.
  const content = path.startsWith('blobs/') ? bytesOf(reader) : decompressByProgram(bytesOf(reader));
  const blob = await store.blobs.addNew(async (stream: Writable) => {
    for await (const bytes of content) {
      size += bytes.length;
      if (head.length < 4) head = Buffer.concat([head, bytes.subarray(0, 4)]);
      if (size <= MAX_DOCUMENT) small.push(Buffer.from(bytes));
      if (!stream.write(bytes)) await new Promise((resolve) => stream.once('drain', resolve));
    }
    stream.end();
  });
  const mediaType =
    MAGIC.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0] ?? MEDIA_TYPES.layer;
  return { ...blob, bytes: size <= MAX_DOCUMENT ? Buffer.concat(small) : undefined, mediaType };
}

async function* bytesOf(reader: TarReader): AsyncGenerator<Buffer> {
  for await (const { bytes } of reader.content()) yield bytes;
}

function ociImages(archive: ReadonlyMap<string, ArchivedFile>): Loaded[] {
  const { manifests } = parse(indexSchema, archive, 'index.json');
  return [...groupByDigest(manifests).values()].map((same) => ({
    entry: indexEntry(same[0]!, {}),
    names: same
      .flatMap(({ annotations }) => annotations?.[CONTAINERD_NAME] ?? annotations?.[REF_NAME] ?? [])
      .map(canonical),
  }));
}

async function dockerImages(
  store: ImageStore,
  archive: ReadonlyMap<string, ArchivedFile>,
): Promise<Loaded[]> {
  const loaded: Loaded[] = [];
  for (const { Config, RepoTags, Layers } of parse(dockerSchema, archive, 'manifest.json')) {
    const config = fileAt(archive, Config);
    const layers = Layers.map((path) => fileAt(archive, path));
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.manifest,
        config: { mediaType: MEDIA_TYPES.config, digest: config.digest, size: config.size },
        layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      }),
    );
    const digest = digestOf(manifest);
    await store.blobs.addBytes(digest, manifest);
    const entry = indexEntry({ mediaType: MEDIA_TYPES.manifest, digest, size: manifest.length }, {});
    loaded.push({ entry, names: (RepoTags ?? []).map(canonical) });
  }
  return loaded;
}

function fileAt(archive: ReadonlyMap<string, ArchivedFile>, path: string): ArchivedFile {
  const file = archive.get(posix.normalize(path));
  if (file !== undefined) return file;
  throw badArchive(`it names ${JSON.stringify(path.slice(0, 200))}, which is not in it`);
}

function parse<T>(schema: z.ZodMiniType<T>, archive: ReadonlyMap<string, ArchivedFile>, path: string): T {
  const { bytes } = fileAt(archive, path);
  if (bytes === undefined) throw badArchive(`${path} is larger than ${MAX_DOCUMENT} bytes`);
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw badArchive(
      `${path} cannot be used${cause instanceof ZodError ? `: ${z.prettifyError(cause)}` : ''}`,
      cause,
    );
  }
}

function groupByDigest(manifests: readonly Descriptor[]): Map<string, Descriptor[]> {
  const groups = new Map<string, Descriptor[]>();
  for (const descriptor of manifests)
    groups.set(descriptor.digest, [...(groups.get(descriptor.digest) ?? []), descriptor]);
  return groups;
}

const canonical = (name: string) => formatReference(parseReference(name));

function refuseTaken(store: ImageStore, { name, id }: { name: string; id: string }): void {
  const present = store.lookup(name);
  if (present === undefined || present.id === id) return;
  throw new MayflyError(
    'image.name-taken',
    `the archive has another image of the name ${name} than the local store`,
    {
      hint: 'load it with overwrite: true if the one in the archive shall have the name from now on',
    },
  );
}

function badArchive(why: string, cause?: unknown): MayflyError {
  return new MayflyError('image.bad-archive', `no images can be read from the archive: ${why}`, {
    cause,
    hint: 'it has to be what docker save, skopeo or saveImages writes; importImage takes the tar of a file system',
  });
}
