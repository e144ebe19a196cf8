import { expect, test } from 'vitest';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { chooseManifest, formatPlatform, parsePlatform } from '../../../../src/images/manifest/platform.ts';

const entry = (
  size: number,
  platform?: { os: string; architecture: string; variant?: string },
  mediaType: string = MEDIA_TYPES.manifest,
) => ({
  mediaType,
  digest: `sha256:${'a'.repeat(64)}`,
  size,
  ...(platform ? { platform } : {}),
});

const index = [
  entry(1, { os: 'unknown', architecture: 'unknown' }),
  entry(2),
  entry(3, { os: 'linux', architecture: 'amd64' }, 'application/x'),
  entry(4, { os: 'linux', architecture: 'amd64' }),
  entry(5, { os: 'linux', architecture: 'amd64' }),
  entry(6, { os: 'linux', architecture: 'arm', variant: 'v6' }),
  entry(7, { os: 'linux', architecture: 'arm', variant: 'v7' }),
  entry(8, { os: 'linux', architecture: 'arm64', variant: 'v8' }),
  entry(9, { os: 'windows', architecture: 'amd64' }),
];

test.each([
  ['linux/amd64', 4],
  ['linux/x86_64', 4],
  ['linux/arm/v7', 7],
  ['linux/arm', 6],
  ['linux/arm64', 8],
  ['linux/arm64/v8', 8],
  ['windows/amd64', 9],
])('%s is found as entry %i', (platform, size) => {
  expect(chooseManifest(index, parsePlatform(platform)).size).toBe(size);
});

test('what is missing is told with what there is', () => {
  expect(() => chooseManifest(index, parsePlatform('linux/s390x'))).toThrow(
    /no image for linux\/s390x\n.*linux\/amd64, linux\/arm\/v6, linux\/arm\/v7, linux\/arm64\/v8, windows\/amd64$/,
  );
});

test('a platform reads and writes alike', () => {
  expect(formatPlatform(parsePlatform('linux/arm/v7'))).toBe('linux/arm/v7');
});

test.each(['', 'linux', 'linux/', 'linux/a/b/c', 'linux amd64'])('%j is no platform', (text) => {
  expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'option.invalid' }));
});
