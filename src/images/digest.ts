import { createHash, type Hash } from 'node:crypto';
import { MayflyError } from '../support/error.ts';

/** Digits of each algorithm that image-spec registers and OpenSSL has (descriptor.md, "Registered Algorithms"). */
const DIGITS = { sha256: 64, sha512: 128 } as const;

export type DigestAlgorithm = keyof typeof DIGITS;

/** `sha256:…` taken apart; both parts are safe as names of files. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hexadecimal digits. */
  readonly encoded: string;
}

/** True for a digest of an algorithm that mayfly can compute. Nothing else ever becomes part of a path (CVE-2024-3727). */
export function isDigest(text: string): boolean {
  const [algorithm = '', encoded = '', ...rest] = text.split(':');
  const digits = Object.hasOwn(DIGITS, algorithm) ? DIGITS[algorithm as DigestAlgorithm] : undefined;
  return rest.length === 0 && encoded.length === digits && /^[0-9a-f]+$/.test(encoded);
}

/** @throws MayflyError `image.bad-digest` */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new MayflyError('image.bad-digest', `not a digest: ${JSON.stringify(text.slice(0, 200))}`, {
      hint: 'a digest is sha256: and 64, or sha512: and 128, small hexadecimal digits',
    });
  }
  const [algorithm, encoded] = text.split(':') as [DigestAlgorithm, string];
  return { algorithm, encoded };
}

/** A running hash of the algorithm that a digest names. */
export function hashFor(digest: string): Hash {
  return createHash(parseDigest(digest).algorithm);
}

/** The digest by which mayfly itself names content: sha256. */
export function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** True when the content has the digest. */
export function matchesDigest(digest: string, content: Uint8Array): boolean {
  return hashFor(digest).update(content).digest('hex') === parseDigest(digest).encoded;
}
