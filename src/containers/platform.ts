import { formatPlatform, hostPlatform, matchesPlatform, parsePlatform } from '../images/manifest/platform.ts';
import type { Image } from '../images/store/image.ts';
import { MayflyError } from '../support/error.ts';

/**
 * Refuses a platform that is not this machine's: programs run as they are, nothing emulates another processor.
 *
 * @throws MayflyError `container.foreign-platform`; `option.invalid`
 */
export function requirePlatform(platform: string | undefined): void {
  if (platform === undefined || matchesPlatform(parsePlatform(platform), hostPlatform())) return;
  throw new MayflyError(
    'container.foreign-platform',
    `a container for ${platform} cannot run on ${formatPlatform(hostPlatform())}`,
    { hint: 'leave platform out, or run the tests on such a machine' },
  );
}

/** The same of an image that is there. @throws MayflyError `container.foreign-platform` */
export function requireImagePlatform({ id, references, platform }: Image): void {
  if (platform === undefined || matchesPlatform(hostPlatform(), platform)) return;
  const name = references[0] ?? id;
  const own = formatPlatform(hostPlatform());
  throw new MayflyError(
    'container.foreign-platform',
    `the image ${name} is for ${formatPlatform(platform)} and cannot run on ${own}`,
    { hint: `get it for this machine: mayfly pull --platform ${own} ${name}` },
  );
}
