import type { ImageConfig } from '../../images/store/image.ts';

/** How to make a preset's image out of Debian packages when no registry can be reached. */
export interface Recipe {
  /** Debian's name for the release. Default: bookworm. */
  readonly suite?: string;
  /** Packages to install; recommended ones are not. */
  readonly packages: readonly string[];
  /** Shell script that runs as root before the packages are installed. */
  readonly before?: string;
  /** Shell script that runs as root after they have been. */
  readonly after?: string;
  /** Files to put into the image, by absolute path. */
  readonly files?: Readonly<
    Record<string, { readonly content: string /** Permission bits. */; readonly mode: number }>
  >;
  /** Configuration of the image: environment, entrypoint, ports. */
  readonly config: ImageConfig;
}
