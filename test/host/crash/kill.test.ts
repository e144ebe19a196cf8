import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startContainer } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { randomFrom } from '../../fixtures/random.ts';

const ROUNDS = Number(process.env.MAYFLY_CRASH_ROUNDS ?? 200);
const SEED = Number(process.env.MAYFLY_CRASH_SEED ?? Date.now() % 1_000_000);
/** Long enough to come to any step of a start, an exec and a stop. */
const LATEST_KILL = 90;
const SWEEP_EVERY = 10;

const VICTIMS = ['test', 'shim', 'init', 'test+shim', 'test+init', 'shim+init', 'test+shim+init'] as const;

test(`nothing is left after ${ROUNDS} kills at random instants`, { timeout: 1_800_000 }, async () => {
  await debian();
  const random = randomFrom(SEED);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const whom = VICTIMS[Math.floor(random() * VICTIMS.length)]!;
    const after = random() * LATEST_KILL;
    const context = `seed ${SEED}, round ${round}: ${whom} killed after ${after.toFixed(1)} ms`;
    await killOnce(whom, after);
    await expectNoLeaks(TEST_HOME).catch((error: unknown) => {
      throw new Error(`${context}: ${(error as Error).message}`, { cause: error });
    });
    if (round % SWEEP_EVERY === 0 || round === ROUNDS) {
      await (await startContainer({ image: 'test/debian:bookworm' })).stop();
      expect(leftOnDisk(TEST_HOME), context).toEqual([]);
    }
  }
});

async function killOnce(whom: (typeof VICTIMS)[number], after: number): Promise<void> {
  const victim = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--conditions=mayfly-source',
      join(import.meta.dirname, '../../fixtures/crash-victim.ts'),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, MAYFLY_TEST_HOME: TEST_HOME } },
  );
  const exited = new Promise((resolve) => victim.once('exit', resolve));
  await new Promise((resolve) => victim.stdout!.once('data', resolve));
  // The one sleep in the suite: the random instant is what is being tested.
  await delay(after);
  // Found before any of them dies: whoever loses its parent is nobody's child.
  const family = familyOf(victim.pid!);
  for (const part of whom.split('+') as (keyof Family)[]) for (const pid of family[part]) killIfThere(pid);
  // Whoever was not killed sees its container die and ends by itself; when no container was there, it goes on.
  await poll(
    () =>
      victim.exitCode !== null || victim.signalCode !== null || familyOf(victim.pid!).shim.length === 0
        ? true
        : undefined,
    {
      deadline: deadlineIn(5000),
      what: 'the victim to notice',
    },
  ).catch(() => {});
  victim.kill('SIGKILL');
  await exited;
}

/** The victim, the shims that it has started, and the inits that those have cloned; nobody else's. */
type Family = Record<'test' | 'shim' | 'init', number[]>;

function familyOf(test: number): Family {
  const shim = childrenOf([test]);
  return { test: [test], shim, init: childrenOf(shim) };
}

function childrenOf(parents: readonly number[]): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => parents.includes(parentOf(pid)) && isOurs(pid)).map(Number);
}

const parentOf = (pid: string) => Number(/^PPid:\t(\d+)$/m.exec(readQuietly(`/proc/${pid}/status`))?.[1]);
const isOurs = (pid: string) => readQuietly(`/proc/${pid}/cmdline`).startsWith('mayfly-shim');

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Dead already.
  }
}
