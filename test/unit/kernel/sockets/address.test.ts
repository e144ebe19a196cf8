import { expect, test } from 'vitest';
import { encodeEndpoint } from '../../../../src/kernel/sockets/address.ts';

test.each([
  [{ host: '127.0.0.1', port: 8080 }, '02001f907f0000010000000000000000'],
  [{ host: '::1', port: 80 }, '0a000050000000000000000000000000000000000000000100000000'],
  [{ host: 'fe80::1:2', port: 0 }, '0a00000000000000fe80000000000000000000000001000200000000'],
  [{ host: '1:2:3:4:5:6:7:8', port: 1 }, '0a000001000000000001000200030004000500060007000800000000'],
  [{ host: '::ffff:10.0.0.1', port: 1 }, '0a0000010000000000000000000000000000ffff0a00000100000000'],
])('%j is what the kernel takes for it', (endpoint, hex) => {
  expect(encodeEndpoint(endpoint).toString('hex')).toBe(hex);
});

test('a name is no address', () => {
  expect(() => encodeEndpoint({ host: 'localhost', port: 1 })).toThrow(RangeError);
});
