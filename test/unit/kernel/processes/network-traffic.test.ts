import { expect, test } from 'vitest';
import { parseNetworkTraffic } from '../../../../src/kernel/processes/network-traffic.ts';

test('all interfaces but loopback are summed up', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  999999      99    0    0    0     0          0         0   999999      99    0    0    0     0       0          0
  eth0: 1234 5    0    0    0     0          0         0     77 3    0    0    0     0       0          0
  eth1:1 1    0    0    0     0          0         0     1 1    0    0    0     0       0          0
`;
  expect(parseNetworkTraffic(text)).toEqual({
    receivedBytes: 1235,
    receivedPackets: 6,
    sentBytes: 78,
    sentPackets: 4,
  });
});
