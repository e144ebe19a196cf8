import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { getContainer, listContainers, startContainer } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { FROM_SOURCE } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const ROUNDS = 12;
const [NODE, ...ARGS] = FROM_SOURCE as [string, ...string[]];

/** A command line on a terminal of its own, which script(1) makes. */
function onTerminal(...words: string[]) {
  const line = [NODE, ...ARGS, ...words].map((word) => `'${word}'`).join(' ');
  // exec, so that what is killed is mayfly itself.
  return spawn('script', ['-qec', `echo "pid=$$"; exec ${line}`, '/dev/null'], {
    env: { ...process.env, MAYFLY_HOME: TEST_HOME, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

/** Kills mayfly some time after `seen` is on its terminal. */
async function killLater(
  child: ReturnType<typeof onTerminal>,
  { seen, after }: { seen: RegExp; after: number },
) {
  let shown = '';
  child.stdout.on('data', (chunk) => {
    shown += String(chunk);
  });
  const closed = once(child, 'close');
  await poll(() => (seen.test(shown) ? true : undefined), {
    deadline: deadlineIn(20_000),
    what: String(seen),
  });
  const pid = Number(/pid=(\d+)/.exec(shown)![1]);
  await delay(after);
  process.kill(pid, 'SIGKILL');
  await closed;
}

requires('root', 'mmdebstrap')('a client that is killed', () => {
  beforeAll(async () => {
    await debian();
  });
  afterEach(async () => {
    for (const { id } of await listContainers({ all: true }))
      await (await getContainer(id)).remove({ force: true });
    await expectNoLeaks(TEST_HOME);
  });

  test('of run -it leaves nothing, at whatever instant it dies', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const child = onTerminal('run', '-it', ...(round % 2 ? ['--rm'] : []), IMAGE, 'sleep', '1000');
      // From before the container is made until well after it runs.
      await killLater(child, { seen: /pid=\d+/, after: (round / ROUNDS) * 1500 });
    }
    await expectNoLeaks(TEST_HOME);
    // What is on disk is the next start's to take away.
    await using _next = await startContainer({ image: IMAGE, command: ['true'] });
    expect(readdirSync(`${TEST_HOME}/containers`).filter((name) => name.endsWith('.lock'))).toHaveLength(1);
  });

  test('of attach leaves the container running, and to be attached to by others', async () => {
    const script = 'while read -r line; do echo "got $line"; done';
    await using box = await startContainer({
      image: IMAGE,
      name: 'box',
      command: ['sh', '-c', script],
      tty: true,
      openStdin: true,
      stopTimeout: 0,
    });
    for (let round = 0; round < ROUNDS; round++)
      await killLater(onTerminal('attach', 'box'), { seen: /pid=\d+/, after: 300 + (round / ROUNDS) * 900 });
    const streams = await box.attach();
    let seen = '';
    streams.stdout.on('data', (chunk) => {
      seen += String(chunk);
    });
    streams.stdin.write('hello\n');
    await poll(() => (seen.includes('got hello') ? true : undefined), {
      deadline: deadlineIn(10_000),
      what: 'the answer',
    });
    streams.close();
  });
});
