import { expect, test } from 'vitest';
import { parseAptStatus } from '../../../../src/presets/recipe/apt-status.ts';

test.each([
  ['dlstatus:3:50.0000:Retrieving file 3 of 6', { share: 0.25, note: 'Retrieving file 3 of 6' }],
  ['pmstatus:dpkg-exec:0.0000:Running dpkg', { share: 0.5, note: 'Running dpkg' }],
  [
    'pmstatus:libjemalloc2:amd64:25:Installing libjemalloc2',
    { share: 0.625, note: 'Installing libjemalloc2' },
  ],
  ['(Reading database ... pmstatus:redis:100:Installed redis', { share: 1, note: 'Installed redis' }],
  ['Unpacking redis-server (5:7.0.15) ...', undefined],
])('%s', (line, status) => {
  expect(parseAptStatus(line)).toEqual(status);
});
