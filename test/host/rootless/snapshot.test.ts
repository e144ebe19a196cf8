import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { installForUser, type UserInstallation } from '../../fixtures/user-installation.ts';
import { requires } from '../../requires.ts';

/** Modules of the user's; each prints one line of JSON. */
const PRELUDE = `
import { readdirSync } from 'node:fs';
import { getContainer, getSnapshot, importImage, listSnapshots, pruneSnapshots, startContainer } from 'mayfly';
const image = 'test/debian:bookworm';
const say = (value) => console.log(JSON.stringify(value));
const shell = (box) => async (script) => (await box.exec(['sh', '-c', script])).stdout.trim();
const withBox = async (options, use) => {
  const box = await startContainer({ image, command: ['sleep', 'infinity'], stopTimeout: '5s', ...options });
  try { return await use(box, shell(box)); } finally { await box.stop(); }
};
const left = () => readdirSync(process.env.MAYFLY_HOME + '/snapshots').length;
`;

requires(
  'root',
  'ordinary-user',
  'mmdebstrap',
  'build',
)('an ordinary user', () => {
  let install: UserInstallation;
  const run = (code: string, options = {}) => install.run(PRELUDE + code, options);

  beforeAll(async () => {
    install = await installForUser();
    await run(`say((await importImage(process.env.TARBALL, { reference: image })).layers.length);`);
  });
  afterEach(async () => {
    await expectNoLeaks(install.home);
    expect(leftOnDisk(install.home)).toEqual([]);
  });
  afterAll(async () => install?.[Symbol.asyncDispose]());

  test.each(['copy', 'seal'])('takes snapshots, restores them and starts from them: %s', async (method) => {
    const facts = await run(`
      await withBox({}, async (box, sh) => {
        await sh('install -d -o 33 -g 33 -m 700 /mine; echo kept > /mine/f; chown 33:42 /mine/f; rm /etc/issue; rm -r /srv; mkdir /srv');
        const snapshot = await box.snapshot('state', { method: '${method}' });
        const look = 'cat /mine/f; stat -c %u:%g:%a /mine /mine/f; ls /etc/issue 2>/dev/null || echo gone; cat /new 2>/dev/null';
        const looks = [await sh(look)];
        await sh('echo changed > /mine/f; touch /etc/issue; echo new > /new');
        const { id } = box;
        await box.restore(snapshot);
        looks.push(await sh(look));
        const copy = await (await getSnapshot('state')).start();
        looks.push(await shell(copy)(look));
        await copy.stop();
        await box.restart();
        looks.push(await sh(look));
        const listed = (await listSnapshots()).map(({ name }) => name);
        const inUse = await snapshot.remove().catch(({ code }) => code);
        say({ method: snapshot.method, looks, same: box.id === id, listed, inUse });
      });
      await (await getSnapshot('state')).remove();
      if (left() !== 0) throw new Error('left');`);
    const look = 'kept\n33:33:700\n33:42:644\ngone';
    expect(facts).toEqual({
      method: method === 'seal' ? 'seal' : expect.stringMatching(/^(copy|reflink)$/),
      looks: [look, look, look, look],
      same: true,
      listed: ['state'],
      inUse: 'snapshot.in-use',
    });
  });

  test('copies what stands still at one instant, and it goes on', async () => {
    const facts = (await run(`
      const pairs = [];
      /** A number into one file, then into the other; there is much to be copied between the two. */
      const COUNT = 'for (my $n = 1; ; $n++) { for my $d (qw(a b)) { open F, ">$d/t"; print F $n; close F; rename "$d/t", "$d/n" } }';
      await withBox({}, async (box, sh) => {
        await sh('mkdir -p /data/a /data/b; for d in a b; do cd /data/$d; seq 4000 | split -l 1 -a 4; done');
        await sh("cd /data; perl -e '" + COUNT + "' > /dev/null 2>&1 &");
        // Of whose children some are about to be executed at any time.
        await sh('cd /tmp; (while :; do /bin/true; done) > /dev/null 2>&1 &');
        const count = async () => Number(await sh('cat /data/b/n'));
        while ((await count()) === 0);
        for (let round = 0; round < 5; round++) {
          const snapshot = await box.snapshot();
          const copy = await snapshot.start();
          pairs.push((await shell(copy)('cat /data/a/n; echo; cat /data/b/n')).split('\\n').map(Number));
          await copy.stop({ timeout: 0 });
          await snapshot.remove();
        }
        const before = await count();
        while ((await count()) === before);
        await box.stop({ timeout: 0 });
      });
      say({ pairs });`)) as { pairs: [number, number][] };
    expect(facts.pairs).toHaveLength(5);
    for (const [first, second] of facts.pairs) {
      expect(second).toBeGreaterThan(0);
      expect([second, second + 1]).toContain(first);
    }
  });

  test.each([
    ['with an init of its own', '{ init: false }'],
    ['that ends with its launcher', '{}'],
  ])('takes one of a container %s', async (_, options) => {
    expect(
      await run(`
        await withBox(${options}, async (box, sh) => {
          await sh('echo kept > /f');
          const snapshot = await box.snapshot();
          await sh('rm /f');
          await box.restore(snapshot);
          say(await sh('cat /f; grep State /proc/1/status'));
          await snapshot[Symbol.asyncDispose]();
        });`),
    ).toMatch(/^kept\nState:\tS/);
  });

  test('is told that a container cannot be stopped of which a process has been', async () => {
    expect(
      await run(`
        await withBox({}, async (box, sh) => {
          const pid = await sh('sleep 1000 > /dev/null 2>&1 & kill -STOP $!; echo $!');
          const { code } = await box.snapshot().catch((error) => error);
          const state = await sh('grep State /proc/' + pid + '/status');
          say({ code, state, runs: (await box.inspect()).State.Running, left: left() });
        });`),
    ).toEqual({
      code: 'cgroup.cannot-freeze',
      state: expect.stringContaining('stopped'),
      runs: true,
      left: 0,
    });
  });

  test('keeps a root directory that has been given away', async () => {
    expect(
      await run(`
        const looks = [];
        const look = async (sh) => looks.push(await sh('stat -c %u:%g:%a /'));
        await withBox({}, async (box, sh) => {
          await sh('chown 33:34 /; chmod 0555 /');
          for (const method of ['copy', 'seal']) {
            const snapshot = await box.snapshot(undefined, { method });
            await look(sh);
            await sh('chown 0:0 /; chmod 0755 /');
            await box.restore(snapshot);
            await look(sh);
            const copy = await snapshot.start();
            await look(shell(copy));
            await copy.stop({ timeout: 0 });
            await snapshot[Symbol.asyncDispose]();
          }
          const image = await box.commit();
          await withBox({ image }, (_, other) => look(other));
          await withBox({ image, storageSize: '4m' }, (_, other) => look(other));
        });
        say({ looks, left: left() });`),
    ).toEqual({ looks: Array.from({ length: 8 }, () => '33:34:555'), left: 0 });
  });

  test('whose process is killed in the middle of one finds his detached container running', async () => {
    const killed = install.spawn(`${PRELUDE}
      const box = await startContainer({ image, command: ['sleep', 'infinity'], name: 'alone', detached: true, stopTimeout: 0 });
      await shell(box)('for i in $(seq 5000); do echo $i > /file$i; done');
      for (;;) { console.log('taking'); await box.snapshot(); }`);
    await new Promise<void>((resolve) => {
      killed.stdout!.on('data', (chunk: Buffer) => chunk.includes('taking') && resolve());
    });
    killed.kill('SIGKILL');
    await new Promise((resolve) => killed.once('exit', resolve));
    expect(
      await run(`
        const box = await getContainer('alone');
        const state = async () => (await shell(box)('grep State /proc/$(pgrep -o sleep || echo 2)/status'));
        while (!/sleeping/.test(await state()));
        await box.remove({ force: true });
        await pruneSnapshots();
        say(left());`),
    ).toBe(0);
  });

  test('removes by age what has a name, and at once what has none', async () => {
    expect(
      await run(`
        const ids = await withBox({}, async (box) => [(await box.snapshot('named')).id, (await box.snapshot()).id]);
        const now = await pruneSnapshots({ olderThan: '1h' });
        const all = await pruneSnapshots({ olderThan: 0 });
        say({ now: now.length, all: all.includes(ids[0]), left: left() });`),
    ).toEqual({ now: 0, all: true, left: 1 });
    await run('await pruneSnapshots(); say(left());');
  });
});
