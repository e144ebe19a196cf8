import { expect, test } from 'vitest';
import { hostsFile } from '../../../src/networks/hosts-file.ts';

test('/etc/hosts is Docker’s', () => {
  expect(hostsFile({ hostname: 'box', ip: '10.64.0.2' })).toMatchInlineSnapshot(`
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
