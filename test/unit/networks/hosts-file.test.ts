import { expect, test } from 'vitest';
import { hostsFile } from '../../../src/networks/hosts-file.ts';

test('/etc/hosts is Docker’s', () => {
  expect(
    hostsFile({ hostname: 'box', ip: '10.64.0.2', gateway: '10.64.0.1', extra: {} }),
  ).toMatchInlineSnapshot(`
    "127.0.0.1	localhost
    ::1	localhost ip6-localhost ip6-loopback
    fe00::	ip6-localnet
    ff00::	ip6-mcastprefix
    ff02::1	ip6-allnodes
    ff02::2	ip6-allrouters
    10.64.0.2	box
    "
  `);
});

test('further names come last, the host itself by a name of its own', () => {
  const extra = { db: '192.0.2.7', six: '2001:db8::1', host: 'host-gateway' };
  const lines = (gateway: string | undefined) =>
    hostsFile({ hostname: 'box', ip: undefined, gateway, extra }).trim().split('\n').slice(-3);
  expect(lines('10.64.0.1')).toEqual(['192.0.2.7\tdb', '2001:db8::1\tsix', '10.64.0.1\thost']);
  expect(lines(undefined).at(-1)).toBe('127.0.0.1\thost');
});
