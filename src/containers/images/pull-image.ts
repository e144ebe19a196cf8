import { parsePlatform } from '../../images/manifest/platform.ts';
import type { Image } from '../../images/store/image.ts';
import type { TransferProgress } from '../../images/transfer/progress.ts';
import { type PullPolicy, provideImage } from '../../images/transfer/provide-image.ts';
import { openEngine } from '../engine.ts';

export interface PullOptions {
  /** `os/architecture[/variant]`. Default: this machine's. */
  readonly platform?: string;
  /** Default: `always`: the registry is asked whether the tag stands for another image by now, and only what is new is downloaded. */
  readonly policy?: PullPolicy;
  readonly signal?: AbortSignal;
  /** Called often, layer by layer. */
  readonly onProgress?: (progress: TransferProgress) => void;
}

/**
 * Brings an image from its registry into the local store: `postgres:17`, `ghcr.io/me/app@sha256:…`.
 *
 * Credentials are those of `docker login`; mirrors, authorities and insecure registries are in `registries.json` of the home;
 * HTTPS_PROXY and NO_PROXY count.
 *
 * @throws TransferError `registry.unreachable`, `registry.unauthorized`, `registry.forbidden`, `registry.not-found`,
 * `registry.rate-limited`, `registry.digest-mismatch`, `registry.*`, `image.no-such-platform`, `image.no-space`, `image.*`,
 * `layer.*`
 */
export function pullImage(reference: string, options: PullOptions = {}): Promise<Image> {
  const { platform, policy = 'always', signal, onProgress } = options;
  const { images, openRegistries } = openEngine();
  return provideImage(
    { store: images, openRegistries },
    {
      reference,
      policy,
      platform: platform === undefined ? undefined : parsePlatform(platform),
      signal,
      onProgress,
    },
  );
}
