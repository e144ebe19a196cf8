import { isAbsolute } from 'node:path';
import { parsePlatform } from '../images/manifest/platform.ts';
import type { PullPolicy } from '../images/transfer/provide-image.ts';
import { isMayflyError, MayflyError } from '../support/error.ts';
import { z } from '../support/zod.ts';

/** What a build does only when its caller allows it. */
export type Entitlement = 'network.host';

/** What to build and how. */
export interface BuildOptions {
  /** Directory that COPY and ADD take files from; an absolute path. */
  readonly context: string;
  /** Path of the Dockerfile, relative to the context or absolute. Default: `Dockerfile`. */
  readonly dockerfile?: string;
  /** Name or number of the stage that becomes the image. Default: the last. */
  readonly target?: string;
  /** Values of ARGs. */
  readonly args?: Readonly<Record<string, string>>;
  /** Names to give the image. Default: none, it is known by its id. */
  readonly tag?: string | readonly string[];
  /** `linux/amd64`. Default: this machine's; images for others cannot be built here. */
  readonly platform?: string;
  /** Make every step again. What is made is kept for later builds all the same. Default: false. */
  readonly noCache?: boolean;
  /** When a registry is asked for the images that stages stand on. Default: `missing`, which is when the local store has none. */
  readonly pull?: PullPolicy;
  /** What the Dockerfile may do beyond what is usual: `network.host` is RUN --network=host. Default: nothing. */
  readonly allow?: readonly Entitlement[];
  /** Contents for `RUN --mount=type=secret`, by id. None of them gets into the image or the cache. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>>;
  /** Added to those that the Dockerfile gives. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Called for every step as it begins, ends, or writes a line. */
  readonly onProgress?: (event: BuildEvent) => void;
  /** Ends the build; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** A step of a stage: the instruction as the Dockerfile has it, and its number among `of`, counted from 1, which is FROM. */
export interface BuildStep {
  readonly stage: string;
  readonly step: string;
  readonly number: number;
  readonly of: number;
}

/** What a build is doing. */
export type BuildEvent =
  | ({ readonly kind: 'begin' } & BuildStep)
  | ({ readonly kind: 'end'; readonly cached: boolean } & BuildStep)
  | {
      readonly kind: 'output';
      readonly stage: string;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    };

const text = z.string().check(z.refine((value) => !value.includes('\0'), 'must not contain a NUL character'));
const texts = z.record(text, text);

const schema = z.required(
  z.partial(
    z.strictObject({
      context: text.check(z.refine(isAbsolute, 'must be an absolute path')),
      dockerfile: text,
      target: text,
      args: texts,
      tag: z.union([text, z.array(text)]),
      platform: text.check(z.refine(isPlatform, 'must be a platform such as linux/amd64')),
      noCache: z.boolean(),
      pull: z.enum(['never', 'missing', 'always']),
      allow: z.array(z.enum(['network.host'])),
      secrets: z.record(text, z.union([z.string(), z.instanceof(Uint8Array)])),
      labels: texts,
      onProgress: z.custom<(event: BuildEvent) => void>((value) => typeof value === 'function'),
      signal: z.instanceof(AbortSignal),
    } satisfies { [K in keyof Required<BuildOptions>]: z.ZodMiniType }),
  ),
  { context: true },
);

/** @throws MayflyError `option.invalid` naming every wrong option */
export function checkBuildOptions(options: unknown): asserts options is BuildOptions {
  const result = schema.safeParse(options);
  if (result.success) return;
  throw new MayflyError('option.invalid', `invalid build options\n${z.prettifyError(result.error)}`, {
    cause: result.error,
    hint: 'correct the options named above',
  });
}

function isPlatform(value: string): boolean {
  try {
    parsePlatform(value);
    return true;
  } catch (error) {
    if (isMayflyError(error)) return false;
    throw error;
  }
}
