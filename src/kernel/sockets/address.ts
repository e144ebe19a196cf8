import { isIP } from 'node:net';

/** A TCP endpoint by address, never by name. */
export interface Endpoint {
  /** IPv4 or IPv6 address. */
  readonly host: string;
  readonly port: number;
}

// Address families of Linux and the sizes of their socket addresses, ip(7) and ipv6(7).
export const AF_INET = 2;
export const AF_INET6 = 10;
const SIZES = { [AF_INET]: 16, [AF_INET6]: 28 };

/** The family that an address belongs to. @throws RangeError when it is no address */
export function familyOf(host: string): typeof AF_INET | typeof AF_INET6 {
  const version = isIP(host);
  if (version === 0) throw new RangeError(`not an IP address: ${host}`);
  return version === 4 ? AF_INET : AF_INET6;
}

/** struct sockaddr_in or sockaddr_in6. @throws RangeError */
export function encodeEndpoint({ host, port }: Endpoint): Buffer {
  const family = familyOf(host);
  const bytes = Buffer.alloc(SIZES[family]);
  bytes.writeUInt16LE(family, 0);
  bytes.writeUInt16BE(port, 2);
  if (family === AF_INET) bytes.set(host.split('.').map(Number), 4);
  else for (const [i, word] of ipv6Words(host).entries()) bytes.writeUInt16BE(word, 8 + 2 * i);
  return bytes;
}

/** The port of either struct. */
export function portOf(address: Buffer): number {
  return address.readUInt16BE(2);
}

/** The eight words of an address in any of its spellings (RFC 4291, 2.2); a scope is left out. */
function ipv6Words(host: string): number[] {
  const [text = ''] = host.split('%');
  const [before = '', after] = text.split('::');
  const [head, tail] = [words(before), words(after ?? '')];
  return after === undefined
    ? head
    : [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function words(text: string): number[] {
  return text
    .split(':')
    .filter((part) => part !== '')
    .flatMap((part) => {
      if (!part.includes('.')) return [Number.parseInt(part, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
      return [a * 256 + b, c * 256 + d];
    });
}
