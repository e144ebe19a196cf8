import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { listContainers } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

const PROCESSES = 6;
const EACH = 5;

/** What a process that was killed in the middle of a sweep has left in older versions: nothing is there to find it by. */
function plantOrphans(): void {
  const addresses = join(TEST_HOME, 'networks/default/addresses');
  mkdirSync(addresses, { recursive: true });
  writeFileSync(join(addresses, '203.0.113.9'), 'f'.repeat(64));
  symlinkSync('f'.repeat(64), join(TEST_HOME, 'containers/orphan.name'));
}

requires(
  'root',
  'mmdebstrap',
  'memory-controller',
)('many processes at once', () => {
  test('share one network, see each other’s containers, and leave nothing', {
    timeout: 120_000,
  }, async () => {
    await debian();
    plantOrphans();
    const starters = Array.from({ length: PROCESSES }, () =>
      startFixture('many.ts', [], { MAYFLY_TEST_HOME: TEST_HOME }),
    );
    const lines = await Promise.all(
      starters.map(
        async (starter) => (await once(createInterface({ input: starter.stdout }), 'line'))[0] as string,
      ),
    );
    const addresses = lines.flatMap((line) => line.split(' '));
    expect(new Set(addresses).size).toBe(PROCESSES * EACH);
    // All in the network that the first of them has made.
    expect(new Set(addresses.map((address) => address.split('.').slice(0, 2).join('.'))).size).toBe(1);
    expect(await listContainers()).toHaveLength(PROCESSES * EACH);
    for (const starter of starters) starter.stdin.end();
    expect(await Promise.all(starters.map((starter) => once(starter, 'exit')))).toEqual(
      starters.map(() => [0, null]),
    );
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
