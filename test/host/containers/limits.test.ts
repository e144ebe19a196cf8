import { beforeAll, expect, test } from 'vitest';
import { type Image, startContainer, Wait } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'memory-controller',
  'cpu-controller',
  'pids-controller',
)('limits', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('a memory hog is killed, and the error says so', async () => {
    const hog = startContainer({
      image,
      memory: '32m',
      // tail keeps the last line, and there is only one.
      command: ['sh', '-c', 'echo starting; exec tail /dev/zero'],
      waitFor: Wait.forLogMessage('never'),
    });
    await expect(hog).rejects.toMatchObject({
      code: 'container.out-of-memory',
      oomKilled: true,
      exitCode: 137,
      lastLines: [expect.objectContaining({ text: 'starting' })],
    });
  });

  test('a fork bomb stops at the limit of processes', async () => {
    await using box = await startContainer({ image, pids: 20, command: ['sleep', '100'] });
    const { stdout } = await box.exec([
      'sh',
      '-c',
      'for i in $(seq 50); do sleep 50 & done 2>&1 | tail -1; cat /sys/fs/cgroup/pids/pids.max',
    ]);
    expect(stdout).toMatch(/Cannot fork|Resource temporarily unavailable|20/);
    expect(stdout).toContain('20');
  });

  test('a quota of CPU is enforced, exec included', async () => {
    await using box = await startContainer({
      image,
      cpus: 0.2,
      command: ['sh', '-c', 'while :; do :; done'],
    });
    const usage = async () =>
      Number(
        (await box.exec(['cat', '/sys/fs/cgroup/cpu/cpu.stat'])).stdout.match(/nr_throttled (\d+)/)?.[1],
      );
    await expect.poll(usage, { timeout: 10_000 }).toBeGreaterThan(3);
  });

  test('inspect tells the limits as Docker does', async () => {
    await using box = await startContainer({ image, memory: '64m', cpus: 0.5, pids: 99 });
    expect((await box.inspect()).HostConfig).toMatchObject({
      Memory: 64 << 20,
      NanoCpus: 5e8,
      PidsLimit: 99,
    });
  });
});
