import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import type { LayerTree } from '../layers/layer.ts';
import type { Platform } from '../manifest/platform.ts';

/** The `config` of an OCI image configuration (image-spec, config.md), as far as mayfly uses it. */
export const imageConfigSchema = lazy(() => {
  const strings = z.array(z.string());
  const empty = z.record(z.string(), z.object({}));
  return z.partial(
    z.object({
      Env: strings,
      Cmd: strings,
      Entrypoint: strings,
      User: z.string(),
      WorkingDir: z.string(),
      /** `{"5432/tcp": {}}` */
      ExposedPorts: empty,
      Volumes: empty,
      Labels: z.record(z.string(), z.string()),
      StopSignal: z.string(),
      /** Docker's addition to the OCI format; times in nanoseconds. */
      Healthcheck: z.object({
        Test: z.optional(strings),
        Interval: z.optional(z.number()),
        Timeout: z.optional(z.number()),
        StartPeriod: z.optional(z.number()),
        StartInterval: z.optional(z.number()),
        Retries: z.optional(z.number()),
      }),
      /** Instructions for whoever builds on the image. */
      OnBuild: strings,
      /** What the shell form of instructions is given to. */
      Shell: strings,
    }),
  );
});

type Config = z.infer<ReturnType<typeof imageConfigSchema>>;

export type ImageHealthcheck = NonNullable<Config['Healthcheck']>;

export type ImageConfig = {
  readonly [K in keyof Config]?: Config[K];
};

/** A configuration on a stack of layers. */
export interface Image {
  /** `sha256:` and 64 digits: the digest of the configuration and the diffIDs. */
  readonly id: string;
  /** Names under which the store knows it. */
  readonly references: readonly string[];
  readonly config: ImageConfig;
  /** Bottom to top. */
  readonly layers: readonly LayerTree[];
  /** What it runs on. Default: this machine's. */
  readonly platform?: Platform;
}
