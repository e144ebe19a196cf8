import { MayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { ZodError, z } from '../../support/zod.ts';
import { type ImageConfig, imageConfigSchema } from '../store/image.ts';

/** Layers on disk are named by sha256, the only algorithm that anybody uses for them. */
const DIFF_ID = /^sha256:[0-9a-f]{64}$/;

const historySchema = lazy(() =>
  z.object({
    created: z.optional(z.string()),
    created_by: z.optional(z.string()),
    author: z.optional(z.string()),
    comment: z.optional(z.string()),
    empty_layer: z.optional(z.boolean()),
  }),
);

const schema = lazy(() =>
  z.object({
    created: z.optional(z.string()),
    author: z.optional(z.string()),
    architecture: z.string(),
    os: z.string(),
    variant: z.optional(z.string()),
    // Docker writes null for what is empty.
    config: z.pipe(z.transform(withoutNulls), z.optional(imageConfigSchema())),
    rootfs: z.object({
      type: z.literal('layers'),
      diff_ids: z.pipe(
        z.transform((value) => value ?? []),
        z.array(z.string().check(z.regex(DIFF_ID, 'is no sha256 digest'))),
      ),
    }),
    history: z.pipe(
      z.transform((value) => value ?? undefined),
      z.optional(z.array(historySchema())),
    ),
  }),
);

/** One step that made an image. */
export type HistoryEntry = z.infer<ReturnType<typeof historySchema>>;

/** A whole image configuration (image-spec, config.md), as far as mayfly reads it. Its digest is the image's id. */
export interface OciConfig {
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string | undefined;
  readonly config?: ImageConfig | undefined;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
  readonly history?: readonly HistoryEntry[] | undefined;
}

/** @throws MayflyError `image.bad-config` */
export function parseOciConfig(bytes: Uint8Array): OciConfig {
  try {
    return schema().parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))) as OciConfig;
  } catch (cause) {
    const why = cause instanceof ZodError ? z.prettifyError(cause).slice(0, 1000) : 'it is no JSON';
    throw new MayflyError('image.bad-config', `the configuration of the image cannot be used: ${why}`, {
      cause,
    });
  }
}

/** @throws MayflyError `image.bad-manifest` for a manifest with more or fewer layers than the configuration */
export function checkLayers({ layers }: { layers: readonly unknown[] }, { rootfs }: OciConfig): void {
  if (layers.length === rootfs.diff_ids.length) return;
  throw new MayflyError(
    'image.bad-manifest',
    `the manifest has ${layers.length} layers, and the configuration ${rootfs.diff_ids.length}`,
    { hint: 'the image contradicts itself; do not use it' },
  );
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value ?? undefined;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null));
}
