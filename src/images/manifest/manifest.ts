import { MayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { type Descriptor, descriptorSchema } from './descriptor.ts';
import {
  isConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  MEDIA_TYPES,
} from './media-types.ts';

/** Docker's limit (moby, layer/layer_store.go), less what mayfly puts on top: boot cache and snapshots. */
export const MOST_LAYERS = 120;

const manifestSchema = lazy(() =>
  z.object({
    schemaVersion: z.literal(2),
    mediaType: z.optional(z.string()),
    config: descriptorSchema(),
    layers: z.array(descriptorSchema()),
    annotations: z.optional(z.record(z.string(), z.string())),
  }),
);

const indexSchema = lazy(() =>
  z.object({
    schemaVersion: z.literal(2),
    mediaType: z.optional(z.string()),
    manifests: z.array(descriptorSchema()),
    annotations: z.optional(z.record(z.string(), z.string())),
  }),
);

/** A configuration and the layers, bottom to top (image-spec, manifest.md). */
export type Manifest = z.infer<ReturnType<typeof manifestSchema>>;

/** A list of manifests, by platform (image-spec, image-index.md). */
export type ImageIndex = z.infer<ReturnType<typeof indexSchema>>;

export type Document =
  | { readonly kind: 'manifest'; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly mediaType: string; readonly index: ImageIndex };

/**
 * Reads a manifest or an index; which of them is said by the descriptor or header that came with it, or else by itself.
 *
 * @throws MayflyError `image.bad-manifest`, `image.ambiguous-manifest`, `image.unsupported-manifest`, `image.too-many-layers`
 */
export function parseDocument(bytes: Uint8Array, announced: string | undefined): Document {
  const json = parseObject(bytes);
  const mediaType = mediaTypeOf(json, announced);
  // The same bytes must not be an image to one tool and an index to another (CVE-2021-41190).
  if (('manifests' in json && ('layers' in json || 'config' in json)) || 'fsLayers' in json) {
    throw new MayflyError(
      'image.ambiguous-manifest',
      'the manifest is an image and a list of images at once',
      {
        hint: 'it was made to deceive; do not use it',
      },
    );
  }
  if (isIndexType(mediaType)) return { kind: 'index', mediaType, index: validate(indexSchema(), json) };
  const manifest = validate(manifestSchema(), json);
  checkImage(manifest);
  return { kind: 'manifest', mediaType, manifest };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (cause) {
    throw badManifest('it is no JSON', cause);
  }
  throw badManifest('it is no object');
}

function mediaTypeOf(json: Record<string, unknown>, announced: string | undefined): string {
  const stated = typeof json.mediaType === 'string' ? json.mediaType : undefined;
  const guessed = 'manifests' in json ? MEDIA_TYPES.index : MEDIA_TYPES.manifest;
  // Parameters such as charset mean nothing here; a registry that serves files does not know better than octet-stream.
  const header = announced?.replace(/;.*/s, '').trim().toLowerCase();
  const known =
    header && header !== 'application/octet-stream' && header !== 'text/plain' ? header : undefined;
  const mediaType = known ?? stated ?? guessed;
  if (json.schemaVersion === 1 || isSchema1Type(mediaType)) {
    throw unsupported('it is of Docker’s schema 1', 'push the image again with a Docker of this decade');
  }
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) {
    throw unsupported(
      `its type is ${JSON.stringify(mediaType.slice(0, 100))}`,
      'is it the reference of an image?',
    );
  }
  if (stated !== undefined && stated !== mediaType) {
    throw new MayflyError(
      'image.ambiguous-manifest',
      `the manifest calls itself ${JSON.stringify(stated.slice(0, 100))} and was announced as ${mediaType}`,
    );
  }
  return mediaType;
}

function checkImage({ config, layers }: Manifest): void {
  if (!isConfigType(config.mediaType)) {
    throw unsupported(
      `its configuration is ${JSON.stringify(config.mediaType.slice(0, 100))}`,
      'it is no container image',
    );
  }
  if (layers.length > MOST_LAYERS) {
    throw new MayflyError(
      'image.too-many-layers',
      `the image has ${layers.length} layers, more than ${MOST_LAYERS}`,
      {
        hint: 'build it with fewer, or squash it',
      },
    );
  }
  const strange = layers.find(({ mediaType }: Descriptor) => !isLayerType(mediaType));
  if (strange === undefined) return;
  throw unsupported(
    `it has a layer of the type ${JSON.stringify(strange.mediaType.slice(0, 100))}`,
    'it is no container image',
  );
}

function validate<T>(schema: z.ZodMiniType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw badManifest(z.prettifyError(result.error).slice(0, 1000), result.error);
}

function badManifest(why: string, cause?: unknown): MayflyError {
  return new MayflyError('image.bad-manifest', `the manifest cannot be used: ${why}`, { cause });
}

function unsupported(why: string, hint: string): MayflyError {
  return new MayflyError('image.unsupported-manifest', `the manifest cannot be used: ${why}`, { hint });
}
