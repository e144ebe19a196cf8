import { MayflyError } from '../../support/error.ts';
import type { Platform } from '../manifest/platform.ts';
import { parseReference } from '../reference/parse.ts';
import type { Registries } from '../registry/registries.ts';
import type { Image } from '../store/image.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { OnTransferProgress } from './progress.ts';
import { pullFromRegistry } from './pull.ts';

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

interface Sources {
  readonly store: ImageStore;
  /** Opened only when a registry has to be asked. */
  readonly openRegistries: () => Registries;
}

/**
 * An image ready to be started, from the local store or from its registry.
 *
 * @throws MayflyError `image.bad-reference`, `image.not-found` by policy `never`, and as {@link pullFromRegistry} does
 */
export async function provideImage(
  { store, openRegistries }: Sources,
  { reference, policy = 'missing', ...request }: ProvideOptions & { readonly reference: string },
): Promise<Image> {
  const { signal } = request;
  const present = policy === 'always' ? undefined : await store.find(reference, { signal });
  if (present !== undefined) return present;
  if (policy === 'never') {
    throw new MayflyError('image.not-found', `no image ${JSON.stringify(reference)} in the local store`, {
      hint: 'pull it with pullImage or import it with importImage',
    });
  }
  await using registries = openRegistries();
  const pulled = await pullFromRegistry(
    { store, registries },
    { ...request, reference: parseReference(reference) },
  );
  return await store.open(pulled, { signal });
}
