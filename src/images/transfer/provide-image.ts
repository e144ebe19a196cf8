import { MayflyError } from '../../support/error.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../manifest/platform.ts';
import { parseReference } from '../reference/parse.ts';
import type { Registries } from '../registry/registries.ts';
import type { Image } from '../store/image.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { StoredImage } from '../store/stored-image.ts';
import type { OnTransferProgress } from './progress.ts';

/**
 * When the registry is asked: `never`; when the image is `missing` in the local store; `always`, in case that its name
 * stands for another one by now.
 */
export type PullPolicy = 'never' | 'missing' | 'always';

export interface ProvideOptions {
  /** Default: `missing`. */
  readonly policy?: PullPolicy | undefined;
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
}

export interface ImageSources {
  readonly store: ImageStore;
  /** Opened only when a registry has to be asked. */
  readonly openRegistries: () => Promise<Registries>;
}

/**
 * An image ready to be started, from the local store or from its registry.
 *
 * @throws MayflyError `image.bad-reference`, `image.not-found` by policy `never`, and as a pull does
 */
export async function provideImage(
  { store, openRegistries }: ImageSources,
  { reference, policy = 'missing', ...request }: ProvideOptions & { readonly reference: string },
): Promise<Image> {
  const { signal, platform } = request;
  const stored = policy === 'always' ? undefined : store.lookup(reference);
  // One for another platform than was asked for is not it; whether this machine can run it is no matter of providing it.
  if (stored !== undefined && (platform === undefined || matchesPlatform(platform, stored.config)))
    return await store.open(stored, { signal });
  if (policy === 'never') {
    const which = `${JSON.stringify(reference)}${platform === undefined ? '' : ` for ${formatPlatform(platform)}`}`;
    throw new MayflyError('image.not-found', `no image ${which} in the local store`, {
      hint: 'pull it with pullImage or import it with importImage',
    });
  }
  return await store.open(await pull({ store, openRegistries }, { ...request, reference }), { signal });
}

/** On its own, because tsc does not rewrite the name of a file that is imported where something is used up (`using`). */
const puller = () => import('./pull.ts');

async function pull(
  { store, openRegistries }: ImageSources,
  { reference, ...request }: Omit<ProvideOptions, 'policy'> & { readonly reference: string },
): Promise<StoredImage> {
  const { pullFromRegistry } = await puller();
  await using registries = await openRegistries();
  return await pullFromRegistry({ store, registries }, { ...request, reference: parseReference(reference) });
}
