/** How far apt-get has come. */
export interface AptStatus {
  /** From 0 to 1. */
  readonly share: number;
  /** `Unpacking redis-server (amd64)` */
  readonly note: string;
}

/**
 * What a line of `APT::Status-Fd` says (apt, progress-reporting.md); undefined for any other line. Packages are downloaded first, then
 * installed; either counts from 0 to 100.
 */
export function parseAptStatus(line: string): AptStatus | undefined {
  // dpkg may have left half a line in front of it.
  const [, kind, percent, note] = /(dl|pm)status:[^:]*(?::[a-z0-9]+)?:([\d.]+):(.*)$/.exec(line) ?? [];
  if (kind === undefined) return undefined;
  const half = Number(percent) / 200;
  return { share: kind === 'dl' ? half : 0.5 + half, note: note! };
}
