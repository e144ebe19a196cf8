import { createHash } from 'node:crypto';
import { MayflyError } from '../support/error.ts';

/** An IPv4 network: its first address and the length of its prefix. */
export interface Subnet {
  /** `10.64.16.0` */
  readonly base: string;
  readonly prefix: number;
}

/** 10.64.0.0/10, cut into networks of 4,096 addresses. */
const POOL = 0x0a40_0000;
const PREFIX = 20;
const COUNT = 1024;

export function formatIp(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}

export function parseIp(ip: string): number {
  return ip.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/**
 * A network that overlaps no route of the host.
 *
 * The search begins at a place that depends on `seed`, so that two homes on one machine do not want the same one.
 *
 * @throws MayflyError `network.no-subnet`
 */
export function chooseSubnet(routes: readonly Subnet[], seed: string): Subnet {
  const start = createHash('sha256').update(seed).digest().readUInt16LE() % COUNT;
  for (let i = 0; i < COUNT; i += 1) {
    const subnet = { base: formatIp(POOL + ((start + i) % COUNT) * 2 ** (32 - PREFIX)), prefix: PREFIX };
    if (!routes.some((route) => overlaps(route, subnet))) return subnet;
  }
  throw new MayflyError('network.no-subnet', 'every network in 10.64.0.0/10 overlaps a route of this host', {
    hint: 'see ip route',
  });
}

function overlaps(a: Subnet, b: Subnet): boolean {
  const shift = 32 - Math.min(a.prefix, b.prefix);
  return Math.floor(parseIp(a.base) / 2 ** shift) === Math.floor(parseIp(b.base) / 2 ** shift);
}

/** The networks of /proc/net/route that have an interface; the default route is none of them. */
export function parseRoutes(table: string): { subnets: Subnet[]; defaultDevice: string | undefined } {
  const rows = table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/));
  const little = (hex: string) => Buffer.from(hex, 'hex').readUInt32LE();
  const isDefault = (row: string[]) => row[1] === '00000000' && row[7] === '00000000';
  return {
    subnets: rows
      .filter((row) => !isDefault(row))
      .map((row) => ({ base: formatIp(little(row[1]!)), prefix: prefixOf(little(row[7]!)) })),
    defaultDevice: rows.find(isDefault)?.[0],
  };
}

function prefixOf(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}
