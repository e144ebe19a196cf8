import { expect, test } from 'vitest';
import { countOomKills } from '../../../../src/kernel/cgroups/memory.ts';

test('the count is that of oom_kill in the text of either version', () => {
  expect(countOomKills('oom_kill_disable 0\nunder_oom 0\noom_kill 2\n')).toBe(2);
  expect(countOomKills('low 0\nhigh 0\nmax 31\noom 4\noom_kill 3\noom_group_kill 7\n')).toBe(3);
});

test('a kernel that does not count, or a container without the file, has none', () => {
  expect(countOomKills('oom_kill_disable 0\nunder_oom 0\n')).toBe(0);
  expect(countOomKills('')).toBe(0);
});
