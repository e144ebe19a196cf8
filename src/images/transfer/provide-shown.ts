import type { Image } from '../store/image.ts';
import { type ImageSources, type ProvideOptions, provideImage } from './provide-image.ts';
import { showTransfer } from './show-transfer.ts';

/**
 * An image ready to be started, as {@link provideImage} has it. What has to be brought for it is shown on stderr: on a terminal
 * layer by layer, elsewhere in one line.
 *
 * @throws MayflyError as {@link provideImage} does
 */
export async function provideShown(
  sources: ImageSources,
  request: Omit<ProvideOptions, 'onProgress'> & { readonly reference: string },
): Promise<Image> {
  const shown = showTransfer('pull', request.reference);
  try {
    const image = await provideImage(sources, { ...request, onProgress: shown.update });
    shown.done();
    return image;
  } catch (error) {
    shown.failed();
    throw error;
  }
}
