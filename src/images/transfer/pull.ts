import type { FileHandle } from 'node:fs/promises';
import type { GrowingFile } from '../../files/growing-file.ts';
import { MayflyError } from '../../support/error.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import { checkLayers, type OciConfig, parseOciConfig } from '../manifest/oci-config.ts';
import { hostPlatform, matchesPlatform, type Platform } from '../manifest/platform.ts';
import { formatReference, type Reference } from '../reference/parse.ts';
import { downloadBlob } from '../registry/download-blob.ts';
import { MAX_DOCUMENT } from '../registry/http/response-body.ts';
import { fromFirst } from '../registry/mirrors.ts';
import type { Registries } from '../registry/registries.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import type { ImageStore } from '../store/image-store.ts';
import { indexEntry } from '../store/packed-images.ts';
import { unlessDamaged } from '../store/problem.ts';
import type { StoredImage } from '../store/stored-image.ts';
import { unpackLayer } from '../store/unpack-image.ts';
import { Arrival } from './arrival.ts';
import { inParallel } from './concurrency.ts';
import type { OnTransferProgress } from './progress.ts';
import { type ResolvedManifest, resolveManifest } from './resolve-manifest.ts';
import { named } from './transfer-error.ts';

/** As many as Docker downloads at once; while one is unpacked, others are on their way. */
const LAYERS_AT_ONCE = 3;

export interface PullRequest {
  readonly reference: Reference;
  /** Default: this machine's. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
}

/**
 * Brings an image from its registry into the store: manifest, configuration, then the layers, several at once. A layer is
 * unpacked as it comes, and becomes one when its blob is verified; the image has its name only when all of it is there and unpacked.
 *
 * @throws TransferError `registry.*`, `image.*`, `layer.*`, naming the reference and the layer
 */
export async function pullFromRegistry(
  { store, registries }: { store: ImageStore; registries: Registries },
  request: PullRequest,
): Promise<StoredImage> {
  const { reference, platform = hostPlatform(), signal, onProgress } = request;
  const name = formatReference(reference);
  const tagOrDigest = reference.digest ?? reference.tag!;
  // From the first byte kept until the name is given, nothing may be collected as garbage.
  using _hold = await store.hold({ signal });
  return await named({ verb: 'pull', reference }, () =>
    fromFirst(registries, { reference, signal }, async (client) => {
      // 1. What the reference stands for now. From here on only digests count, whatever becomes of the tag.
      const resolved = await resolveManifest(client, { tagOrDigest, platform, signal });
      // 2. The same as before? Then it is all here.
      const known = findWhole(store, { name, resolved });
      if (known !== undefined) return known;
      // 3. The configuration, which says what the layers have to be when they are unpacked.
      const pull = new Pull({ store, client, name, retry: registries.retry, onProgress });
      const config = await pull.config(resolved.manifest.config, { platform, signal });
      checkLayers(resolved.manifest, config);
      // 4. The layers.
      const layers = resolved.manifest.layers.map((descriptor, position) => ({
        descriptor,
        diffId: config.rootfs.diff_ids[position]!,
      }));
      await inParallel(layers, {
        limit: LAYERS_AT_ONCE,
        signal,
        task: (layer, stop) => pull.layer(layer, stop),
      });
      // 5. The manifest, and last of all the name.
      await store.blobs.addBytes(resolved.descriptor.digest, resolved.manifestBytes);
      const entry = indexEntry(resolved.descriptor, {});
      await store.addPacked(entry, [name], resolved.registryDigest);
      return store.lookup(name)!;
    }),
  );
}

/** The image of this name, if it is this manifest and every layer of it is unpacked. */
function findWhole(
  store: ImageStore,
  { name, resolved }: { name: string; resolved: ResolvedManifest },
): StoredImage | undefined {
  // One that is damaged is not whole.
  const known = unlessDamaged(
    name,
    () => store.lookup(name),
    () => {},
  );
  if (known?.packed?.descriptor.digest !== resolved.descriptor.digest) return undefined;
  const whole =
    known.config.rootfs.diff_ids.every((diffId) => store.layers.get(diffId) !== undefined) &&
    resolved.manifest.layers.every((layer) => store.blobs.has(layer));
  return whole ? known : undefined;
}

interface PullContext {
  readonly store: ImageStore;
  readonly client: RegistryClient;
  readonly name: string;
  readonly retry: Registries['retry'];
  readonly onProgress: OnTransferProgress | undefined;
}

interface Download {
  readonly signal: AbortSignal | undefined;
  /** What to do with it meanwhile. Default: nothing. */
  readonly arrival?: Arrival;
  readonly onProgress?: (bytes: number) => void;
}

/** Moves blobs of one image. */
class Pull {
  readonly #context: PullContext;

  constructor(context: PullContext) {
    this.#context = context;
  }

  config(
    descriptor: Descriptor,
    { platform, signal }: { platform: Platform; signal: AbortSignal | undefined },
  ): Promise<OciConfig> {
    const { store, name } = this.#context;
    return named({ verb: 'pull', reference: name, layer: descriptor.digest }, async () => {
      if (descriptor.size > MAX_DOCUMENT) {
        throw new MayflyError('image.bad-config', `the configuration has ${descriptor.size} bytes`, {
          hint: 'no honest image has so large a configuration',
        });
      }
      await this.#download(descriptor, { signal });
      const config = parseOciConfig(store.blobs.read(descriptor.digest));
      if (matchesPlatform(platform, config)) return config;
      throw new MayflyError(
        'image.no-such-platform',
        `the image is for ${config.os}/${config.architecture}, not for ${platform.os}/${platform.architecture}`,
        { hint: 'name its platform if you want it all the same' },
      );
    });
  }

  layer(
    { descriptor, diffId }: { descriptor: Descriptor; diffId: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { store, name, onProgress } = this.#context;
    const { digest, size } = descriptor;
    const report = (phase: 'download' | 'unpack' | 'done') => (bytes: number) =>
      onProgress?.({ reference: name, layer: digest, phase, bytes, totalBytes: size });
    return named({ verb: 'pull', reference: name, layer: digest }, async () => {
      let isHere = false;
      // One phase after the other is what people expect to see.
      const unpacking = (bytes: number) => isHere && report('unpack')(bytes);
      const unpack = (openBlob: () => GrowingFile, stop = signal) =>
        unpackLayer(store, { diffId, openBlob }, { signal: stop, onProgress: unpacking });
      const arrival = new Arrival((open, stop) => unpack(open, AbortSignal.any([signal, stop])));
      await this.#download(descriptor, { signal, arrival, onProgress: report('download') });
      isHere = true;
      await (arrival.unpacked ?? unpack(() => store.blobs.open(digest)));
      report('done')(size);
    });
  }

  #download(descriptor: Descriptor, { signal, arrival, onProgress }: Download): Promise<void> {
    const { store, client, retry } = this.#context;
    const fill = (file: FileHandle, path: string) => {
      const download = (tell?: (bytes: number) => void) =>
        downloadBlob(client, { descriptor, file, retry, signal, onProgress: tell });
      if (arrival === undefined) return download();
      return arrival.follow(path, (grown) =>
        download((bytes) => {
          grown(bytes);
          onProgress?.(bytes);
        }),
      );
    };
    return store.blobs.add(descriptor, fill, { signal });
  }
}
