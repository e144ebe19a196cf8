import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { END_OF_ARCHIVE, type EntryHeader, encodeHeader, padding } from '../../../../src/files/tar/encode.ts';

/** What GNU tar makes of it. */
function listed(header: EntryHeader, content = ''): string {
  const archive = Buffer.concat([
    encodeHeader(header),
    Buffer.from(content),
    padding(content.length),
    END_OF_ARCHIVE,
  ]);
  return execFileSync(
    'tar',
    ['--list', '--verbose', '--numeric-owner', '--utc', '--full-time', '--file', '-'],
    { input: archive, encoding: 'utf8' },
  ).trim();
}

const mtime = BigInt(Date.parse('2026-11-24T10:00:00Z')) * 1_000_000n;

test('a file with its mode, owner, size and time', () => {
  const header = { name: 'etc/passwd', type: 'file', mode: 0o4755, uid: 7, gid: 8, size: 5, mtime } as const;
  expect(listed(header, 'hello')).toMatch(/^-rwsr-xr-x 7\/8\s+5 2026-11-24 10:00:00 etc\/passwd$/);
});

test('links and devices', () => {
  expect(listed({ name: 'l', type: 'symlink', linkname: 'target', mtime })).toMatch(/ l -> target$/);
  expect(listed({ name: 'null', type: 'character-device', devmajor: 1, devminor: 3, mtime })).toMatch(
    /^c.* 1,3 .* null$/,
  );
});

test('names and targets that ustar has no room for', () => {
  const name = `${'directory/'.repeat(20)}file`;
  expect(listed({ name, type: 'file', mtime })).toContain(name);
  const linkname = 'x'.repeat(150);
  expect(listed({ name: 'l', type: 'symlink', linkname, mtime })).toContain(`l -> ${linkname}`);
});
