import { z } from 'zod';
import { lazy } from '../../support/lazy.ts';
import { isDigest } from '../digest.ts';

/** image-spec, config.md and image-index.md; `variant` is `v8`. */
const platformSchema = lazy(() =>
  z.object({
    architecture: z.string(),
    os: z.string(),
    variant: z.string().optional(),
    'os.version': z.string().optional(),
  }),
);

/** image-spec, descriptor.md. What mayfly does not know is dropped, except annotations. */
export const descriptorSchema = lazy(() =>
  z.object({
    mediaType: z.string(),
    digest: z.string().refine(isDigest, 'is no digest'),
    size: z.number().int().min(0),
    annotations: z.record(z.string(), z.string()).optional(),
    platform: platformSchema().partial().optional(),
    urls: z.array(z.string()).optional(),
  }),
);

/** Points to content by what it is, how long it is and what it hashes to. */
export type Descriptor = z.infer<ReturnType<typeof descriptorSchema>>;
