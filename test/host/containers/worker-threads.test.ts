import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getContainer, type Image, startContainer } from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const STARTER = join(import.meta.dirname, '../../fixtures/worker-starter.ts');

/** The flag --import is for main threads only, so a Worker registers tsx itself. */
const BOOTSTRAP = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(STARTER)})))`;

function openWorker(workerData: 'leave' | 'stop' | 'wait'): Worker {
  const env = { ...process.env, MAYFLY_TEST_HOME: TEST_HOME };
  return new Worker(BOOTSTRAP, { eval: true, workerData, env, execArgv: ['--conditions=mayfly-source'] });
}

/** Has a Worker start a container, and returns when the thread is no more. */
async function startInWorker(ending: 'leave' | 'stop' | 'terminate'): Promise<string> {
  const worker = openWorker(ending === 'terminate' ? 'wait' : ending);
  const exited = once(worker, 'exit');
  const [id] = (await once(worker, 'message')) as [string];
  if (ending === 'terminate') await worker.terminate();
  await exited;
  return id;
}

/** Sockets of this process, and shims that nobody has reaped. */
function held(): string[] {
  const sockets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  const zombies = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return (
          stat.includes(`(mayfly-shim`) &&
          stat.slice(stat.lastIndexOf(')') + 2).startsWith(`Z ${process.pid} `)
        );
      } catch {
        return false;
      }
    });
  return [
    ...sockets.filter((name) => name.startsWith('socket:')),
    ...zombies.map((pid) => `zombie ${pid}`),
  ].toSorted();
}

requires('root', 'mmdebstrap')('a container that a Worker has started', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });
  afterAll(async () => {
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  for (const ending of ['leave', 'terminate'] as const) {
    test(`outlives its thread, and leaves nothing in the process once it is stopped (${ending})`, async () => {
      const before = held();
      const id = await startInWorker(ending);
      // Another start neither sweeps it nor takes its address.
      const other = await startContainer({ image, stopTimeout: 0, command: ['sleep', '100'] });
      const box = await getContainer(id);
      expect(box.ipAddress).not.toBe(other.ipAddress);
      expect((await box.exec(['echo', 'alive'])).stdout).toBe('alive\n');
      await other.stop();
      await box.stop();
      await expect.poll(held).toEqual(before);
      expect(leftOnDisk(TEST_HOME)).toEqual([]);
    });
  }

  test('ends by itself after its thread, and the next start cleans up', async () => {
    const before = held();
    const box = await getContainer(await startInWorker('leave'));
    await box.kill();
    expect((await box.wait()).exitCode).toBe(137);
    await (await startContainer({ image, stopTimeout: 0 })).stop();
    await expect.poll(held).toEqual(before);
    await box.stop();
  });

  test('can be stopped in its thread', async () => {
    const before = held();
    const id = await startInWorker('stop');
    await expect(getContainer(id)).rejects.toMatchObject({ code: 'container.not-found' });
    await expect.poll(held).toEqual(before);
  });

  test('several Workers at once', async () => {
    const ids = await Promise.all(Array.from({ length: 4 }, () => startInWorker('leave')));
    const boxes = await Promise.all(ids.map((id) => getContainer(id)));
    expect(new Set(boxes.map(({ ipAddress }) => ipAddress)).size).toBe(4);
    await Promise.all(boxes.map((box) => box.stop()));
  });
});
