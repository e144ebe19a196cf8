import { expect, test } from 'vitest';
import { chooseSubnet, formatIp, parseIp, parseRoutes } from '../../../src/networks/subnet.ts';

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`;

test('addresses as numbers and back', () => {
  expect(parseIp('10.64.16.2')).toBe(0x0a401002);
  expect(formatIp(0x0a401002)).toBe('10.64.16.2');
});

test('routes are read from /proc/net/route', () => {
  expect(parseRoutes(ROUTES)).toEqual({
    defaultDevice: 'eth0',
    subnets: [
      { base: '192.0.2.0', prefix: 24 },
      { base: '172.17.0.0', prefix: 16 },
    ],
  });
});

test('a seed has its own place, which is kept while it is free', () => {
  const [a, b] = [chooseSubnet([], '/a'), chooseSubnet([], '/b')];
  expect(chooseSubnet([], '/a')).toEqual(a);
  expect(a).not.toEqual(b);
  expect(a.prefix).toBe(20);
});

test('what overlaps a route is passed over, wider and narrower ones alike', () => {
  const first = chooseSubnet([], '/a');
  const inside = { base: formatIp(parseIp(first.base) + 256), prefix: 24 };
  expect(chooseSubnet([inside], '/a')).not.toEqual(first);
  expect(
    chooseSubnet(
      [
        { base: '10.0.0.0', prefix: 10 },
        { base: '172.16.0.0', prefix: 12 },
      ],
      '/a',
    ).prefix,
  ).toBe(20);
});

test('a host that has routes everywhere gets an error', () => {
  expect(() => chooseSubnet([{ base: '10.0.0.0', prefix: 8 }], '/a')).toThrow(
    expect.objectContaining({ code: 'network.no-subnet' }),
  );
});
