import { readdirSync } from 'node:fs';
import { execa } from 'execa';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { getContainer, listContainers, startContainer } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { FROM_SOURCE, mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const env = { MAYFLY_HOME: TEST_HOME };
const mayfly = (...words: string[]) => runCli(words, { env });
const [NODE, ...ARGS] = FROM_SOURCE as [string, ...string[]];
/** A command line that is spoken with while it runs. */
const start = (...words: string[]) =>
  execa(NODE, [...ARGS, ...words], { env, reject: false, encoding: 'buffer' });

requires('root', 'mmdebstrap')('the streams of run, start and attach', () => {
  beforeAll(async () => {
    await debian();
  });
  afterEach(async () => {
    for (const { id } of await listContainers({ all: true }))
      await (await getContainer(id)).remove({ force: true });
    await expectNoLeaks(TEST_HOME);
  });

  test('run -i passes stdin on, its end too, and bytes as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256));
    const echo = await execa(NODE, [...ARGS, 'run', '-i', '--rm', IMAGE, 'cat'], {
      env,
      input: bytes,
      encoding: 'buffer',
    });
    expect(Buffer.compare(Buffer.from(echo.stdout), bytes)).toBe(0);
    const unread = await execa(NODE, [...ARGS, 'run', '-i', '--rm', IMAGE, 'true'], { env, input: bytes });
    expect(unread.exitCode).toBe(0);
  });

  test('without -i it reads nothing', async () => {
    const { stdout } = await execa(NODE, [...ARGS, 'run', '--rm', IMAGE, 'sh', '-c', 'cat; echo end'], {
      env,
      input: 'x',
    });
    expect(stdout).toBe('end');
  });

  test('nothing of much output is lost to a slow reader, nor a line end added', async () => {
    const run = start('run', '--rm', IMAGE, 'sh', '-c', 'head -c 30000000 /dev/zero; printf x >&2');
    const { stdout, stderr } = await run;
    expect([stdout.length, Buffer.from(stderr).toString()]).toEqual([30_000_000, 'x']);
    const piped = [NODE, ...ARGS].map((word) => `'${word}'`).join(' ');
    const slow = await execa(
      'bash',
      ['-c', `${piped} run --rm ${IMAGE} seq 1 300000 | (sleep 1; tail -n 1)`],
      { env },
    );
    expect(slow.stdout).toBe('300000');
  });

  test('a reader that goes away ends the container, as in a pipeline', async () => {
    const words = [NODE, ...ARGS].map((word) => `'${word}'`).join(' ');
    const script = `set -o pipefail; ${words} run --name box ${IMAGE} yes | head -n 1; echo "code $?"`;
    const { stdout } = await execa('bash', ['-c', script], { env, timeout: 30_000 });
    expect(stdout).toBe('y\ncode 141');
    expect(await listContainers({ all: true })).toMatchObject([{ name: 'box', status: 'exited' }]);
  });

  test('-d --rm is gone when it has ended, without any of us', async () => {
    const { stdout: id } = await mayfly('run', '-d', '--rm', '--name', 'box', IMAGE, 'sleep', '1000');
    await expect(getContainer('box')).resolves.toMatchObject({ id });
    expect((await mayfly('stop', '-t', '0', 'box')).exitCode).toBe(0);
    const { stdout: short } = await mayfly('run', '-d', '--rm', '--name', 'box', IMAGE, 'true');
    await poll(async () => ((await listContainers()).length === 0 ? true : undefined), {
      deadline: deadlineIn(10_000),
      what: 'the end of the container',
    });
    expect(await listContainers({ all: true })).toEqual([]);
    expect((await mayfly('inspect', short)).exitCode).toBe(1);
    // The next start takes what is left away, and its name is free.
    await using _other = await startContainer({ image: IMAGE, name: 'box', command: ['true'] });
    expect(readdirSync(`${TEST_HOME}/containers`).filter((name) => name.startsWith(short))).toEqual([]);
  });

  test('attach shows what comes, gives what is typed, passes signals on, and ends with the exit code', async () => {
    const script =
      'trap "echo trapped; exit 3" TERM; echo before; while read -r line; do echo "got $line"; done; while :; do sleep 0.05; done';
    await using box = await startContainer({
      image: IMAGE,
      command: ['sh', '-c', script],
      openStdin: true,
      name: 'box',
    });
    const attached = start('attach', 'box');
    let seen = '';
    attached.stdout!.on('data', (chunk) => {
      seen += String(chunk);
    });
    const sees = (text: string) =>
      poll(() => (seen.includes(text) ? true : undefined), { deadline: deadlineIn(20_000), what: text });
    attached.stdin!.write('one\n');
    await sees('got one\n');
    // The end of our stdin is not that of the container's.
    attached.stdin!.end();
    const second = await execa(NODE, [...ARGS, 'attach', '--no-stdin', '--sig-proxy', 'false', 'box'], {
      env,
      timeout: 4000,
      reject: false,
    });
    expect(second.timedOut).toBe(true);
    attached.kill('SIGTERM');
    expect((await attached).exitCode).toBe(3);
    expect(seen).toBe('got one\ntrapped\n');
    expect(await box.wait()).toMatchObject({ exitCode: 3 });
    expect((await mayfly('attach', 'box')).exitCode).toBe(1);
  });

  test('who is attached and does not read holds nothing up, and is told what was missed', async () => {
    await using box = await startContainer({
      image: IMAGE,
      command: [
        'sh',
        '-c',
        'read -r go; head -c 20000000 /dev/zero; echo done > /done; read -r go; echo last',
      ],
      openStdin: true,
    });
    const silent = await box.attach();
    silent.stdin.write('go\n');
    const { exitCode } = await box.exec(['sh', '-c', 'until [ -e /done ]; do sleep 0.01; done'], {
      timeout: '20s',
    });
    expect(exitCode).toBe(0);
    let bytes = 0;
    silent.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    silent.stdin.write('go\n');
    await silent.closed;
    expect(silent.missed).toBeGreaterThan(0);
    await poll(() => (silent.stdout.readableEnded ? true : undefined), {
      deadline: deadlineIn(5000),
      what: 'the end',
    });
    expect(bytes + silent.missed).toBe(20_000_000 + 'last\n'.length);
  });
});
