import { expect, test } from 'vitest';
import { resolveUser } from '../../../../src/runtime/spec/user.ts';

const database = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\npg:x:101:102::/var/lib/pg:/bin/sh\n1000:x:0:0::/:/bin/sh\nbroken\nbad:x:99999999999:0::/:\n',
  group: 'root:x:0:\npg:x:102:\ntape:x:26:pg,root\n',
};

test.each([
  ['', { uid: 0, gid: 0, groups: [0, 26], home: '/root' }],
  ['pg', { uid: 101, gid: 102, groups: [102, 26], home: '/var/lib/pg' }],
  ['101', { uid: 101, gid: 102, groups: [102, 26], home: '/var/lib/pg' }],
  ['pg:tape', { uid: 101, gid: 26, groups: [26], home: '/var/lib/pg' }],
  ['pg:7', { uid: 101, gid: 7, groups: [7], home: '/var/lib/pg' }],
  ['4242', { uid: 4242, gid: 0, groups: [0], home: '/' }],
])('%j is resolved by the image’s own files', (text, expected) => {
  expect(resolveUser(database, text)).toEqual(expected);
});

test('a number is never taken for a name', () => {
  expect(resolveUser(database, '1000').uid).toBe(1000);
});

test.each(['4294967296', '2147483648', '-1', '0x0', ' 0', 'nobody', 'pg:nogroup', 'bad'])(
  '%j is refused',
  (text) => {
    expect(() => resolveUser(database, text)).toThrow(
      expect.objectContaining({ code: 'option.unknown-user' }),
    );
  },
);

test('an image without files has numbers only', () => {
  const empty = { passwd: undefined, group: undefined };
  expect(resolveUser(empty, '7:8')).toEqual({ uid: 7, gid: 8, groups: [8], home: '/' });
  expect(() => resolveUser(empty, 'root')).toThrow(/no user "root"/);
});
