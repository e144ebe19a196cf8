import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readOwnRecord } from '../../../src/containers/container-record.ts';
import { openEngine } from '../../../src/containers/engine.ts';
import { sweepSnapshots } from '../../../src/containers/snapshots/snapshot-files.ts';
import { sweep as sweepContainers } from '../../../src/containers/sweep.ts';
import {
  type Container,
  getContainer,
  getSnapshot,
  listContainers,
  listSnapshots,
} from '../../../src/index.ts';
import { listContainerIds } from '../../../src/runtime/state/container-store.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { startFixture } from '../../fixtures/program.ts';
import { survivesKills } from '../../fixtures/random-kills.ts';
import { removeEverything } from '../../fixtures/remove-everything.ts';

const ROUNDS = Number(process.env.MAYFLY_SNAPSHOT_CRASH_ROUNDS ?? 15);
const SEED = Number(process.env.MAYFLY_CRASH_SEED ?? Date.now() % 1_000_000);
const TIMEOUT = ROUNDS * 20_000;

const victim = (...args: string[]) =>
  startFixture('snapshot-victim.ts', args, { MAYFLY_TEST_HOME: TEST_HOME });

/** The number of the state that a container has, all files of which have been compared with their sums. */
async function stateOf(box: Container): Promise<number> {
  const script = 'cd /data/ && sha256sum --quiet -c sums && [ $(ls | wc -l) = 8 ] && cat number';
  const { exitCode, stdout, stderr } = await box.exec(['sh', '-c', script]);
  if (exitCode !== 0) throw new Error(`not a whole state: ${stdout} ${stderr}`);
  return Number(stdout);
}

/** The last number that a victim has said after a word; 0: none. */
const lastSaid = (said: string, word: string) =>
  Number([...said.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);

/** As a new process's first start does; then there is nothing but whole snapshots, and the name. */
async function sweep(): Promise<void> {
  await sweepContainers(openEngine());
  await sweepSnapshots(openEngine());
  const names = readdirSync(join(TEST_HOME, 'snapshots')).filter((name) => name !== 'name-kept');
  expect(names.toSorted()).toEqual((await listSnapshots()).map(({ id }) => id).toSorted());
}

async function expectWholeSnapshots(said: string): Promise<void> {
  const taken = lastSaid(said, 'took');
  if (taken > 0) expect((await getSnapshot('kept')).name).toBe('kept');
  // Those without a name have lost their owner, and go unless something stands on them.
  await sweep();
  for (const snapshot of await listSnapshots()) {
    await using copy = await snapshot.start({ detached: false, stopTimeout: 0 });
    const state = await stateOf(copy);
    if (snapshot.name === 'kept') expect(state).toBeGreaterThanOrEqual(taken);
  }
}

/** A container runs again when it has ended, which one whose process was killed is about to. */
function running(id: string): Promise<Container> {
  const attempt = async () => {
    const box = await getContainer(id);
    await box.start();
    const result = await box.exec(['true']).catch(() => undefined);
    return result?.exitCode === 0 ? box : undefined;
  };
  return poll(attempt, { deadline: deadlineIn(10_000), what: `container ${id} to run or to have ended` });
}

/** The ids of detached containers, as soon as all of them are told of: one that is just starting is not, and goes on without its launcher. */
function detachedContainers(): Promise<string[]> {
  const { home } = openEngine();
  const attempt = async () => {
    const ids = listContainerIds(home).filter((id) => readOwnRecord(home, id)?.spec.detached);
    const told = new Set((await listContainers({ all: true })).map(({ id }) => id));
    return ids.every((id) => told.has(id)) ? ids : undefined;
  };
  return poll(attempt, { deadline: deadlineIn(10_000), what: 'what is starting to have started' });
}

/** What a detached container has is there, however its launcher or itself was killed. */
async function expectWholeContainers(said: string): Promise<void> {
  for (const id of await detachedContainers()) {
    const box = await running(id);
    // Between its junk and the restore it has nothing to show.
    const { exitCode } = await box.exec(['test', '-e', '/junk']);
    if (exitCode !== 0) expect(await stateOf(box)).toBeGreaterThanOrEqual(lastSaid(said, 'wrote'));
    await box.remove({ force: true });
  }
}

afterEach(removeEverything);

const campaign = { rounds: ROUNDS, latest: 700, home: TEST_HOME, sweep };

test(`snapshots are whole or not there after ${ROUNDS} kills`, { timeout: TIMEOUT }, async () => {
  await debian();
  await survivesKills({ ...campaign, seed: SEED, victim: () => victim(), afterKill: expectWholeSnapshots });
  await (await getSnapshot('kept')).remove();
});

test(`a detached container loses nothing in ${ROUNDS} kills`, { timeout: TIMEOUT }, async () => {
  await debian();
  await survivesKills({
    ...campaign,
    seed: SEED + 1,
    victim: () => victim('detached'),
    afterKill: async (said) => {
      await expectWholeContainers(said);
      await expectWholeSnapshots(said);
    },
  });
  await (await getSnapshot('kept')).remove();
  await sweep();
});
