import { z } from 'zod';
import { MayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { type ImageConfig, imageConfigSchema } from '../store/image.ts';

/** Layers on disk are named by sha256, the only algorithm that anybody uses for them. */
const DIFF_ID = /^sha256:[0-9a-f]{64}$/;

const historySchema = lazy(() =>
  z.object({
    created: z.string().optional(),
    created_by: z.string().optional(),
    author: z.string().optional(),
    comment: z.string().optional(),
    empty_layer: z.boolean().optional(),
  }),
);

const schema = lazy(() =>
  z.object({
    created: z.string().optional(),
    author: z.string().optional(),
    architecture: z.string(),
    os: z.string(),
    variant: z.string().optional(),
    // Docker writes null for what is empty.
    config: z.preprocess(withoutNulls, imageConfigSchema().optional()),
    rootfs: z.object({
      type: z.literal('layers'),
      diff_ids: z.preprocess(
        (value) => value ?? [],
        z.array(z.string().regex(DIFF_ID, 'is no sha256 digest')),
      ),
    }),
    history: z.preprocess((value) => value ?? undefined, z.array(historySchema()).optional()),
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
    const why = cause instanceof z.ZodError ? z.prettifyError(cause).slice(0, 1000) : 'it is no JSON';
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
