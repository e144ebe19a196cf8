import { MayflyError } from '../../support/error.ts';
import type { Descriptor } from './descriptor.ts';
import { isManifestType } from './media-types.ts';

/** What an image runs on, as Go names it. */
export interface Platform {
  readonly os: string;
  /** `amd64`, `arm64`, … */
  readonly architecture: string;
  /** `v7`, `v8`; matters for arm only. */
  readonly variant?: string | undefined;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** Other spellings that people use (containerd, platforms/database.go). */
const ALIASES: Readonly<Record<string, string>> = { x86_64: 'amd64', 'x86-64': 'amd64', aarch64: 'arm64' };
const PLATFORM = /^([a-z0-9]+)\/([A-Za-z0-9_-]+)(?:\/([A-Za-z0-9_-]+))?$/;

/** The platform of this machine. */
export function hostPlatform(): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[process.arch] ?? process.arch };
}

/**
 * Reads `os/architecture[/variant]`.
 *
 * @throws MayflyError `option.invalid`
 */
export function parsePlatform(text: string): Platform {
  const match = PLATFORM.exec(text);
  if (match === null) {
    throw new MayflyError('option.invalid', `not a platform: ${JSON.stringify(text)}`, {
      hint: 'write os/architecture, such as linux/amd64',
    });
  }
  const [, os, architecture, variant] = match as unknown as [string, string, string, string?];
  return { os, architecture: ALIASES[architecture] ?? architecture, ...(variant ? { variant } : {}) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return `${os}/${architecture}${variant ? `/${variant}` : ''}`;
}

/** True when an image of `offered` is one for `wanted`; every 64-bit ARM is v8 (containerd, platforms/defaults.go). */
export function matchesPlatform(wanted: Platform, offered: Platform): boolean {
  const variant = ({ architecture, variant: own }: Platform) => own || (architecture === 'arm64' ? 'v8' : '');
  return (
    wanted.os === offered.os &&
    wanted.architecture === offered.architecture &&
    (wanted.variant === undefined || variant(wanted) === variant(offered))
  );
}

/**
 * The first manifest of an index for a platform (image-index.md: the first match wins). Unknown kinds of content and
 * attestations (`unknown/unknown`) are passed over.
 *
 * @throws MayflyError `image.no-such-platform` naming those that there are
 */
export function chooseManifest(manifests: readonly Descriptor[], wanted: Platform): Descriptor {
  const images = manifests.flatMap((descriptor) => {
    const { os, architecture, variant } = descriptor.platform ?? {};
    if (!isManifestType(descriptor.mediaType) || !os || !architecture || os === 'unknown') return [];
    return [{ descriptor, platform: { os, architecture, variant } }];
  });
  const match = images.find(({ platform }) => matchesPlatform(wanted, platform));
  if (match !== undefined) return match.descriptor;
  const there = [...new Set(images.map(({ platform }) => formatPlatform(platform)))].join(', ');
  throw new MayflyError('image.no-such-platform', `there is no image for ${formatPlatform(wanted)}`, {
    hint: there === '' ? 'the index names no platform at all' : `there are: ${there}`,
  });
}
