import { beforeAll, expect, test } from 'vitest';
import { type Container, type ContainerOptions, type Image, startContainer } from '../../../src/index.ts';
import { readMachine } from '../../../src/kernel/cgroups/machine.ts';
import { countersOf } from '../../fixtures/counters.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const MIB = 1 << 20;
const LIMIT = 4 * MIB;

/** Writes past the page cache and has dd itself say how fast that went, in bytes a second. */
async function writeRate(box: Container): Promise<number> {
  const { stderr } = await box.exec([
    'dd',
    'if=/dev/zero',
    'of=/file',
    'bs=256k',
    'count=32',
    'oflag=direct',
  ]);
  const [, bytes, seconds] = /(\d+) bytes .* copied, ([\d.e-]+) s/.exec(stderr)!;
  return Number(bytes) / Number(seconds);
}

requires(
  'root',
  'mmdebstrap',
  'io-controller',
)('limits of I/O', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  const start = (options: Omit<ContainerOptions, 'image'>) => startContainer({ image, ...options });

  test('a disk is written no faster than allowed, and what was written is counted', async ({ skip }) => {
    await using free = await start({});
    const unlimited = await writeRate(free);
    if (unlimited < 2 * LIMIT) skip(`this disk writes ${unlimited} bytes a second without a limit`);
    await using box = await start({ ioLimits: [{ writeBps: LIMIT }] });
    const limited = await writeRate(box);
    expect(limited).toBeLessThan(LIMIT * 1.1);
    expect(limited).toBeGreaterThan(LIMIT * 0.5);
    expect(countersOf(box).io!.writtenBytes).toBeGreaterThanOrEqual(8 * MIB);
  });

  test('a weight works where a scheduler minds it, and is refused by name where none does', async () => {
    const { ioWeighing, schedulers } = readMachine();
    const started = start({ ioWeight: 300 });
    if (ioWeighing !== undefined) {
      await using box = await started;
      expect((await box.inspect()).HostConfig).toMatchObject({ BlkioWeight: 300 });
      return;
    }
    await expect(started).rejects.toMatchObject({
      code: 'cgroup.io-weight-unavailable',
      message: expect.stringContaining(`by weight (${schedulers})`),
    });
  });
});
