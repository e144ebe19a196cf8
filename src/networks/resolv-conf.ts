import { existsSync, readFileSync } from 'node:fs';

const FILE = '/etc/resolv.conf';
/** Where systemd-resolved keeps the servers that are behind its own on the loopback. */
const SYSTEMD_FILE = '/run/systemd/resolve/resolv.conf';
const LOOPBACK = /^\s*nameserver\s+(127\.|::1\b)/;

/**
 * /etc/resolv.conf of a container: the host's, without servers on the host's own loopback, which a container could not
 * reach. `hostNetwork`: as it is.
 */
export function resolvConf({ hostNetwork }: { hostNetwork: boolean }): string {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
  if (hostNetwork) return text;
  const kept = withoutLoopback(text);
  if (/^\s*nameserver/m.test(kept) || !existsSync(SYSTEMD_FILE)) return kept;
  return withoutLoopback(readFileSync(SYSTEMD_FILE, 'utf8'));
}

function withoutLoopback(text: string): string {
  return text
    .split('\n')
    .filter((line) => !LOOPBACK.test(line))
    .join('\n');
}
