import { expect, test } from 'vitest';
import { printListing } from '../../../../src/cli/listing/listing.ts';
import {
  binarySize,
  decimalSize,
  ellipsis,
  goTime,
  humanDuration,
  shortId,
} from '../../../../src/cli/listing/words.ts';
import { openOutput } from '../../../../src/cli/output.ts';

const listing = {
  headings: { ID: 'CONTAINER ID', Names: 'NAMES', State: 'STATE' },
  columns: ['ID', 'Names'],
  rows: [
    { ID: '0123456789ab', Names: 'db', State: 'running' },
    { ID: 'ba9876543210', Names: 'web', State: 'exited' },
  ],
  key: 'ID',
};

function print(options: { format?: string; quiet?: boolean }): string {
  let text = '';
  const stdout = { write: (part: string | Uint8Array) => (text += part) };
  printListing(listing, { format: undefined, ...options }, openOutput({ stdout, stderr: stdout }, {}));
  return text;
}

// As docker prints the same.
test.each([
  [{}, 'CONTAINER ID   NAMES\n0123456789ab   db\nba9876543210   web\n'],
  [{ format: 'table' }, 'CONTAINER ID   NAMES\n0123456789ab   db\nba9876543210   web\n'],
  [{ format: 'table {{.Names}}\\t{{.State}}' }, 'NAMES     STATE\ndb        running\nweb       exited\n'],
  [{ format: '{{.Names}}={{.State}}' }, 'db=running\nweb=exited\n'],
  [{ format: 'json' }, `${listing.rows.map((row) => JSON.stringify(row)).join('\n')}\n`],
  [{ quiet: true }, '0123456789ab\nba9876543210\n'],
])('%j', (options, text) => {
  expect(print(options)).toBe(text);
});

test.each([
  [0, 'Less than a second'],
  [1, '1 second'],
  [59, '59 seconds'],
  [61, 'About a minute'],
  [600, '10 minutes'],
  [3600, 'About an hour'],
  [3600 * 47, '47 hours'],
  [86400 * 3, '3 days'],
  [86400 * 20, '2 weeks'],
  [86400 * 100, '3 months'],
  [86400 * 800, '2 years'],
])('%i seconds are %s', (seconds, text) => {
  expect(humanDuration(seconds * 1000)).toBe(text);
});

test('sizes, ids, times and long texts are written as docker writes them', () => {
  expect([0, 999, 87_300_000, 1_234_567_890].map(decimalSize)).toEqual(['0B', '999B', '87.3MB', '1.23GB']);
  expect([1024, 91_553_792].map(binarySize)).toEqual(['1KiB', '87.31MiB']);
  expect(shortId('sha256:0123456789abcdef')).toBe('0123456789ab');
  expect(goTime(new Date('2026-11-24T10:00:00.123Z'))).toBe('2026-11-24 10:00:00 +0000 UTC');
  expect(ellipsis('sleep infinity and beyond', 20)).toBe('sleep infinity and …');
  expect(ellipsis('sleep', 20)).toBe('sleep');
});
