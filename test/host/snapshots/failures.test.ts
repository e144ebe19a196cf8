import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execaSync } from 'execa';
import { afterEach, beforeAll, expect, test } from 'vitest';
import {
  type Container,
  getContainer,
  getSnapshot,
  type Image,
  pruneSnapshots,
  startContainer,
} from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SNAPSHOTS = `${TEST_HOME}/snapshots`;
let image: Image;
const sleeper = (options = {}) =>
  startContainer({ image, command: ['sleep', 'infinity'], stopTimeout: '5s', ...options });
const sh = async (box: Container, script: string) => (await box.exec(['sh', '-c', script])).stdout;

const textOf = (path: string) => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};
const commandOf = (pid: number) => textOf(`/proc/${pid}/cmdline`);
const childrenOf = (pid: number) =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    textOf(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );

/** Files of a snapshot that is not whole yet. */
function filesCopied(): number {
  const directory = readdirSync(SNAPSHOTS).find((name) => /^tmp-[0-9a-f]+$/.test(name));
  const many = join(SNAPSHOTS, directory ?? 'none', 'snapshot/fs/many');
  return existsSync(many) ? readdirSync(many).length : 0;
}

/** Runs `use` while `snapshots` is a file system of its own, of a size in bytes. */
async function onTmpfs<T>(size: number, use: () => Promise<T>): Promise<T> {
  execaSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'small', SNAPSHOTS]);
  try {
    return await use();
  } finally {
    execaSync('umount', [SNAPSHOTS]);
  }
}

requires('root', 'mmdebstrap')('a snapshot that fails', () => {
  beforeAll(async () => {
    image = await debian();
    // Seeds of other tests.
    await pruneSnapshots({ olderThan: 0 });
  });
  afterEach(async () => {
    await expectNoLeaks(TEST_HOME);
    expect(readdirSync(SNAPSHOTS)).toEqual([]);
  });

  test('for want of space leaves the container running and nothing else', async () => {
    await using box = await sleeper();
    await sh(box, 'head -c 3M /dev/urandom > /large');
    await onTmpfs(1 << 20, async () => {
      await expect(box.snapshot('large')).rejects.toMatchObject({ errno: 'ENOSPC' });
      expect(readdirSync(SNAPSHOTS)).toEqual([]);
    });
    expect(await sh(box, 'stat -c %s /large')).toBe(`${3 << 20}\n`);
  });

  test.each([
    ['the process that copies', (copier: number) => childrenOf(copier)[0]!],
    ['its supervisor', (copier: number) => copier],
  ])('because %s was killed leaves the container running and nothing else', async (_, victimOf) => {
    await using box = await sleeper();
    await sh(box, 'mkdir /many; cd /many; seq 30000 | split -l 1 -a 4');
    const taking = box.snapshot('killed').catch((error: unknown) => error);
    const copying = () => childrenOf(process.pid).find((pid) => /^mayfly-shim\0copy\0/.test(commandOf(pid)));
    const victim = () => {
      const copier = copying();
      // From when the tree is being made on, so that there is something to be left.
      return copier !== undefined && childrenOf(copier).length > 0 && filesCopied() > 100
        ? victimOf(copier)
        : undefined;
    };
    process.kill(
      await poll(victim, { deadline: deadlineIn(10_000), what: 'a copy', maxInterval: 2 }),
      'SIGKILL',
    );
    expect(await taking).toMatchObject({ code: 'kernel.shim-lost' });
    expect(readdirSync(SNAPSHOTS)).toEqual([]);
    expect((await box.inspect()).State).toMatchObject({ Running: true, Paused: false });
    expect(await sh(box, 'ls /many | wc -l')).toBe('30000\n');
    await using again = await box.snapshot();
    await using copy = await again.start();
    expect(await sh(copy, 'ls /many | wc -l')).toBe('30000\n');
  });

  test('in the middle of a seal goes on with all that it had', async () => {
    await using box = await sleeper();
    await sh(box, 'echo kept > /file');
    // Nothing is renamed to another file system.
    await onTmpfs(1 << 20, async () => {
      await expect(box.snapshot('sealed', { method: 'seal' })).rejects.toMatchObject({ code: 'EXDEV' });
      expect(readdirSync(SNAPSHOTS)).toEqual([]);
    });
    expect(await sh(box, 'cat /file')).toBe('kept\n');
    await using snapshot = await box.snapshot(undefined, { method: 'seal' });
    await box.restore(snapshot);
    expect(await sh(box, 'cat /file')).toBe('kept\n');
  });

  test('restoring one that is gone is refused while the container runs on', async () => {
    await using box = await sleeper();
    const snapshot = await box.snapshot();
    await sh(box, 'echo now > /file');
    await snapshot.remove();
    const started = (await box.inspect()).State.StartedAt;
    await expect(box.restore(snapshot)).rejects.toMatchObject({ code: 'container.layer-gone' });
    expect((await box.inspect()).State).toMatchObject({ Running: true, StartedAt: started });
    expect(await sh(box, 'cat /file')).toBe('now\n');
  });

  test('a restore that is aborted before it begins does nothing', async () => {
    await using box = await sleeper();
    await using snapshot = await box.snapshot();
    await sh(box, 'echo now > /file');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(box.restore(snapshot, { signal })).rejects.toThrow('enough');
    expect(await sh(box, 'cat /file')).toBe('now\n');
  });
});

requires('root', 'mmdebstrap')('snapshots of a container', () => {
  const roundTrip = async (options: object, method: 'copy' | 'seal' = 'copy') => {
    await using box = await sleeper(options);
    await sh(box, 'echo kept > /file; chown 33:34 /file; chmod 600 /file');
    await using snapshot = await box.snapshot(undefined, { method });
    await sh(box, 'echo changed > /file; echo new > /new');
    await box.restore(snapshot);
    const look = 'cat /file; stat -c %u:%g:%a /file; ls /new 2>&1 | grep -c "No such"';
    const restored = await sh(box, look);
    await using copy = await snapshot.start();
    return [restored, await sh(copy, look)];
  };
  const KEPT = 'kept\n33:34:600\n1\n';

  beforeAll(async () => {
    image = await debian();
    // Seeds of other tests.
    await pruneSnapshots({ olderThan: 0 });
  });
  afterEach(async () => {
    await expectNoLeaks(TEST_HOME);
    expect(readdirSync(SNAPSHOTS)).toEqual([]);
  });

  test.each(['copy', 'seal'] as const)('with ids of its own, by %s', async (method) => {
    expect(await roundTrip({ userns: 'private' }, method)).toEqual([KEPT, KEPT]);
  });

  test('that is detached stays detached, for another process, too', async () => {
    const box = await sleeper({ detached: true, name: 'alone' });
    try {
      await sh(box, 'echo kept > /file');
      await using _ = await box.snapshot('of-alone');
      await sh(box, 'echo changed > /file');
      const script = `import('mayfly').then(async ({ getContainer, getSnapshot }) => {
        const box = await getContainer('alone');
        await box.restore(await getSnapshot('of-alone'));
        const sealed = await box.snapshot('sealed-alone', { method: 'seal' });
        console.log(sealed.id);
      })`;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', '--conditions=mayfly-source', '--eval', script],
        { cwd: ROOT, env: { ...process.env, MAYFLY_HOME: TEST_HOME } },
      );
      const again = await getContainer('alone');
      expect((await again.inspect()).State.Running).toBe(true);
      expect(await sh(again, 'cat /file')).toBe('kept\n');
      expect((await getSnapshot('sealed-alone')).id).toBe(stdout.trim());
    } finally {
      await (await getContainer('alone')).remove({ force: true });
    }
    for (const name of ['sealed-alone', 'of-alone']) await (await getSnapshot(name)).remove();
  });

  test('that is paused: it stays so', async () => {
    await using box = await sleeper();
    await sh(box, 'echo kept > /file');
    await box.pause();
    await using snapshot = await box.snapshot();
    expect((await box.inspect()).State.Paused).toBe(true);
    await box.unpause();
    await sh(box, 'rm /file');
    await box.pause();
    await box.restore(snapshot);
    expect((await box.inspect()).State.Paused).toBe(false);
    expect(await sh(box, 'cat /file')).toBe('kept\n');
  });

  test('whose root is read-only has nothing in it but starts', async () => {
    await using box = await sleeper({ readOnly: true });
    await using snapshot = await box.snapshot();
    await box.restore(snapshot);
    await using copy = await snapshot.start();
    expect(await sh(copy, 'touch /file 2>&1')).toContain('Read-only');
  });

  test('with limited storage are copies, and cannot be sealed', async () => {
    await using box = await sleeper({ storageSize: '8m' });
    await sh(box, 'echo kept > /file');
    await using snapshot = await box.snapshot();
    await sh(box, 'rm /file');
    await expect(box.snapshot(undefined, { method: 'seal' })).rejects.toMatchObject({
      code: 'container.storage-in-memory',
    });
    await box.restore(snapshot);
    expect(await sh(box, 'cat /file; head -c 10M /dev/zero 2>&1 > /full; rm /full')).toContain('kept\n');
    expect(await sh(box, 'head -c 10M /dev/zero 2>&1 > /full; rm /full')).toContain('No space left');
  });

  test('with a volume: what is in that is not part of it', async () => {
    const shared = mkdtempSync('/var/tmp/mayfly-shared-');
    try {
      await using box = await sleeper({ mounts: [{ type: 'bind', source: shared, target: '/mnt' }] });
      await sh(box, 'echo 1 > /mnt/file; echo 1 > /file');
      await using snapshot = await box.snapshot();
      await sh(box, 'echo 2 > /mnt/file; echo 2 > /file');
      await box.restore(snapshot);
      expect(await sh(box, 'cat /mnt/file /file')).toBe('2\n1\n');
    } finally {
      execaSync('rm', ['-r', shared]);
    }
  });
});
