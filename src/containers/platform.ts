import { formatPlatform, hostPlatform, matchesPlatform, parsePlatform } from '../images/manifest/platform.ts';
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
