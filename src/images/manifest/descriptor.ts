import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { isDigest } from '../digest.ts';

/** image-spec, config.md and image-index.md; `variant` is `v8`. */
const platformSchema = lazy(() =>
  z.object({
    architecture: z.string(),
    os: z.string(),
    variant: z.optional(z.string()),
    'os.version': z.optional(z.string()),
  }),
);

/** image-spec, descriptor.md. What mayfly does not know is dropped, except annotations. */
export const descriptorSchema = lazy(() =>
  z.object({
    mediaType: z.string(),
    digest: z.string().check(z.refine(isDigest, 'is no digest')),
    size: z.int().check(z.gte(0)),
    annotations: z.optional(z.record(z.string(), z.string())),
    platform: z.optional(z.partial(platformSchema())),
    urls: z.optional(z.array(z.string())),
  }),
);

/** Points to content by what it is, how long it is and what it hashes to. */
export type Descriptor = z.infer<ReturnType<typeof descriptorSchema>>;
