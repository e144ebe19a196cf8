import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { installForUser, type UserInstallation } from '../../fixtures/user-installation.ts';
import { requires } from '../../requires.ts';

/** Modules of the user's; each prints one line of JSON. */
const PRELUDE = `
import { connect } from 'node:net';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { getContainer, importImage, listContainers, pruneSnapshots, startContainer, Wait } from 'mayfly';
const image = 'test/debian:bookworm';
const say = (value) => console.log(JSON.stringify(value));
const sh = async (box, script) => (await box.exec(['sh', '-c', script])).stdout.trim();
/** Says when it was started and what is in a file, and hangs up, unless it is to hold. */
const SERVER = 'use IO::Socket::INET; use Time::HiRes qw(time); $| = 1; my $t = time; my @kept;' +
  'my $l = IO::Socket::INET->new(LocalPort => 7000, Listen => 99, ReuseAddr => 1) or die; print "ready\\\\n";' +
  'while (my $c = $l->accept) { open my $f, "<", "/state"; print $c "$t ", <$f>; -e "/hold" ? push @kept, $c : close $c }';
const server = async (options = {}) => {
  const box = await startContainer({ image, command: ['perl', '-e', SERVER], ports: [7000], waitFor: Wait.forLogMessage('ready'), stopTimeout: 0, ...options });
  await sh(box, 'echo pristine > /state');
  return box;
};
const ask = async (box) => {
  const [startedAt, state] = (await text(connect({ host: box.host, port: box.port }))).trim().split(' ');
  return { startedAt: Number(startedAt) * 1000, state };
};
/** True when it was by one that had been started before. */
const restoreBySpare = async (box, snapshot) => {
  await snapshot.keepSpares(1);
  await sh(box, 'echo changed > /state');
  const before = Date.now();
  await box.restore(snapshot);
  const { startedAt, state } = await ask(box);
  return startedAt < before && state === 'pristine';
};
`;

requires(
  'root',
  'ordinary-user',
  'mmdebstrap',
  'build',
)('spares of an ordinary user', () => {
  let install: UserInstallation;
  const run = (code: string) => install.run(PRELUDE + code);

  beforeAll(async () => {
    install = await installForUser();
    await run(`say((await importImage(process.env.TARBALL, { reference: image })).layers.length);`);
  });
  afterEach(async () => {
    await expectNoLeaks(install.home);
    expect(leftOnDisk(install.home)).toEqual([]);
  });
  afterAll(async () => install?.[Symbol.asyncDispose]());

  test('take a container over under the same id, name, address and port, as often as there is one', async () => {
    const facts = await run(`
      const box = await server({ name: 'original', hostname: 'host' });
      const snapshot = await box.snapshot();
      const look = async (each) => [each.id, each.ipAddress, each.port, await sh(each, 'cat /sys/class/net/eth0/address; hostname; grep -w host$ /etc/hosts')];
      const looks = [await look(box)];
      const bySpare = [];
      const exits = [];
      box.on('exit', ({ exitCode }) => exits.push(exitCode));
      for (let round = 0; round < 4; round++) {
        bySpare.push(await restoreBySpare(box, snapshot));
        looks.push(await look(box), await look(await getContainer('original')));
        // In between without one, which leaves its place as it is.
        if (round !== 1) continue;
        await snapshot.keepSpares(0);
        await box.restore(snapshot);
      }
      const ended = exits.length;
      await snapshot.keepSpares(1);
      const copy = await snapshot.start();
      const listed = (await listContainers()).length;
      const other = [(await ask(copy)).state, copy.port !== box.port];
      await snapshot[Symbol.asyncDispose]();
      for (const each of [copy, box]) await each.stop();
      say({ bySpare, same: looks.every((each) => String(each) === String(looks[0])), listed, other, ended });`);
    expect(facts).toEqual({
      bySpare: [true, true, true, true],
      same: true,
      listed: 2,
      ended: 5,
      other: ['pristine', true],
    });
  });

  test('cut off who spoke with the old processes, and are what other containers reach', async () => {
    const facts = await run(`
      const box = await server();
      const other = await server();
      const snapshot = await box.snapshot();
      await sh(box, 'touch /hold');
      const read = (end) => 'use IO::Socket::INET; $| = 1; my $s = IO::Socket::INET->new("' + box.ipAddress + ':7000") or die; ' + end;
      const reach = async () => (await other.exec(['perl', '-e', read('print scalar <$s>')])).stdout.trim().split(' ')[1];
      const outside = connect({ host: box.host, port: box.port });
      const ended = new Promise((resolve) => outside.on('error', () => {}).once('close', resolve));
      await new Promise((resolve) => outside.once('data', resolve));
      // Both wait for more, which never comes.
      const inside = other.exec(['perl', '-e', read('<$s>; open F, ">/waits"; close F; <$s>; print "ended"')]);
      while (await sh(other, 'ls /waits 2>/dev/null') === '');
      const before = await reach();
      const bySpare = await restoreBySpare(box, snapshot);
      await ended;
      const { stdout } = await inside;
      const after = await reach();
      await snapshot[Symbol.asyncDispose]();
      for (const each of [box, other]) await each.stop();
      say({ before, bySpare, stdout, after });`);
    expect(facts).toEqual({ before: 'pristine', bySpare: true, stdout: 'ended', after: 'pristine' });
  });

  test('never refuse who connects all the time', async () => {
    const facts = (await run(`
      const box = await server();
      const snapshot = await box.snapshot();
      const knock = 'use IO::Socket::INET; use Errno; $| = 1; my ($n, $refused) = (0, 0); print "knocking\\\\n"; $SIG{TERM} = sub { $end = 1 }; ' +
        'until ($end) { my $s = IO::Socket::INET->new("127.0.0.1:' + box.port + '"); $refused++ if !$s && $!{ECONNREFUSED}; $n++; my @rest = <$s> if $s } print "$n $refused\\\\n"';
      const knocker = spawn('perl', ['-e', knock], { stdio: ['ignore', 'pipe', 'inherit'] });
      const said = text(knocker.stdout);
      await new Promise((resolve) => knocker.stdout.once('data', resolve));
      const bySpare = [];
      for (let round = 0; round < 6; round++) bySpare.push(await restoreBySpare(box, snapshot));
      knocker.kill();
      const [count, refused] = (await said).split('\\n')[1].split(' ').map(Number);
      await snapshot[Symbol.asyncDispose]();
      await box.stop();
      say({ bySpare, count, refused });`)) as { count: number };
    expect(facts).toMatchObject({ bySpare: Array(6).fill(true), refused: 0 });
    expect(facts.count).toBeGreaterThan(6);
  });

  test('leave nothing when their process is killed in the middle of it all', async () => {
    const killed = install.spawn(`${PRELUDE}
      const box = await server();
      const snapshot = await box.snapshot();
      for (let round = 0; ; round++) { await restoreBySpare(box, snapshot); if (round === 3) console.log('restoring'); }`);
    await new Promise((resolve) => killed.stdout!.once('data', resolve));
    killed.kill('SIGKILL');
    await new Promise((resolve) => killed.once('exit', resolve));
    await expectNoLeaks(install.home);
    expect(
      await run(`
        const box = await server();
        const { state } = await ask(box);
        await box.stop();
        await pruneSnapshots();
        say(state);`),
    ).toBe('pristine');
  });
});
