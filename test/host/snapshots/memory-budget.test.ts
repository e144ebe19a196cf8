import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { listContainers, startContainer, Wait } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

/** Takes as much memory as a file says, and touches all of it. */
const GREEDY = `$| = 1; open my $f, '<', '/bytes'; my $bytes = $f ? <$f> : 0; my $all = '';
  vec($all, $bytes, 8) = 1; print "ready\\n"; sleep;`;

requires(
  'root',
  'mmdebstrap',
  'cgroup2',
)('spares that take much memory', () => {
  beforeAll(async () => {
    await debian();
  });

  test('are so many as a quarter of what is available holds', { timeout: 120_000 }, async () => {
    const [, kilobytes] = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))!;
    // Two and a half of these are a quarter.
    const bytes = Math.floor((Number(kilobytes) * 1024) / 10);
    await using box = await startContainer({
      image: 'test/debian:bookworm',
      command: ['perl', '-e', GREEDY],
      waitFor: Wait.forLogMessage('ready'),
      stopTimeout: 0,
    });
    await box.exec(['sh', '-c', 'echo $0 > /bytes', `${bytes}`]);
    await using snapshot = await box.snapshot();
    await snapshot.keepSpares(5);
    expect(await listContainers({ labels: { 'mayfly.spare': true } })).toHaveLength(2);
  });
});
