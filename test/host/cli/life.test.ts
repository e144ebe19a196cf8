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

requires('root', 'mmdebstrap')('names, processes and events on the command line', () => {
  beforeAll(async () => {
    await debian();
  });
  afterEach(async () => {
    for (const { id } of await listContainers({ all: true }))
      await (await getContainer(id)).remove({ force: true });
    await expectNoLeaks(TEST_HOME);
  });

  test('a container gets another name, which frees its own', async () => {
    await using box = await startContainer({
      image: IMAGE,
      name: 'old',
      command: ['sleep', '1000'],
      stopTimeout: 0,
    });
    expect(await mayfly('rename', 'old', 'new')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect((await getContainer('new')).id).toBe(box.id);
    await expect(getContainer('old')).rejects.toMatchObject({ code: 'container.not-found' });
    await using _other = await startContainer({
      image: IMAGE,
      name: 'old',
      command: ['sleep', '1000'],
      stopTimeout: 0,
    });
    const { exitCode, stderr } = await mayfly('rename', 'new', 'old');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('is taken')]);
    expect((await mayfly('rename', 'new', '-bad')).exitCode).not.toBe(0);
  });

  test('top shows its processes by their pids on the host, those of its execs too, and of no other', async () => {
    await using box = await startContainer({
      image: IMAGE,
      name: 'box',
      command: ['sleep', '1234'],
      stopTimeout: 0,
    });
    await using _other = await startContainer({ image: IMAGE, command: ['sleep', '4321'], stopTimeout: 0 });
    await using _exec = await box.execStream(['sleep', '777']);
    const { stdout } = await mayfly('top', 'box', '-eo', 'pid,args');
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^ *PID COMMAND$/);
    expect(lines.filter((line) => /sleep 1234|sleep 777/.test(line))).toHaveLength(2);
    expect(stdout).not.toContain('4321');
    expect((await mayfly('top', 'box')).stdout.split('\n')[0]).toMatch(/^UID +PID +PPID/);
    expect((await mayfly('top', 'box', '-eo', 'args')).exitCode).toBe(125);
  });

  test('wait and exit codes: 128 + signal, and what a detached one ended with', async () => {
    const { stdout: id } = await mayfly('run', '-d', IMAGE, 'sh', '-c', 'sleep 0.5; exit 42');
    expect((await mayfly('wait', id)).stdout).toBe('42');
    expect((await mayfly('start', '-a', id)).exitCode).toBe(42);
    expect((await mayfly('run', '--rm', IMAGE, 'sh', '-c', 'kill -INT $$; sleep 9')).exitCode).toBe(130);
    await mayfly('create', '--name', 'wrong', IMAGE, 'no-such-command');
    expect((await mayfly('start', '-a', 'wrong')).exitCode).toBe(127);
  });

  test('events tells of everything that happens, whoever does it, and of what has happened', async () => {
    const since = new Date().toISOString();
    const format = '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}';
    const wanted = ['create', 'start', 'die', 'destroy', 'exec_create', 'rename'];
    const filters = wanted.flatMap((action) => ['--filter', `event=${action}`]);
    const watching = execa(NODE, [...ARGS, 'events', '--since', since, '--format', format, ...filters], {
      env,
      reject: false,
    });
    let seen = '';
    let errors = '';
    watching.stderr!.on('data', (chunk) => {
      errors += String(chunk);
    });
    watching.stdout!.on('data', (chunk) => {
      seen += String(chunk);
    });
    const sees = (text: string) =>
      poll(() => (seen.includes(text) ? true : undefined), {
        deadline: deadlineIn(15_000),
        what: text,
      }).catch((error) => {
        throw new Error(`there is no ${text} in:\n${seen}${String(errors)}`, { cause: error });
      });
    {
      await using _mine = await startContainer({
        image: IMAGE,
        name: 'mine',
        command: ['sleep', '1000'],
        stopTimeout: 0,
      });
      await sees('start mine');
    }
    await sees('destroy mine');
    const { stdout: id } = await mayfly(
      'run',
      '-d',
      '--name',
      'theirs',
      '-l',
      'a=b',
      IMAGE,
      'sh',
      '-c',
      'until [ -e /go ]; do sleep 0.05; done; exit 3',
    );
    await mayfly('rename', 'theirs', 'renamed');
    await mayfly('exec', 'renamed', 'touch', '/go');
    await sees('die renamed 3');
    watching.kill('SIGINT');
    expect((await watching).exitCode).toBe(0);
    const none = '<no value>';
    expect(seen.trim().split('\n')).toEqual([
      `create mine ${none}`,
      `start mine ${none}`,
      expect.stringMatching(/^die mine/),
      `destroy mine ${none}`,
      `create theirs ${none}`,
      `start theirs ${none}`,
      `rename renamed ${none}`,
      `exec_create: touch /go renamed ${none}`,
      'die renamed 3',
    ]);
    const past = await mayfly(
      'events',
      '--since',
      since,
      '--until',
      '0s',
      '--filter',
      'event=die',
      '--filter',
      'label=a=b',
    );
    expect(past.stdout).toMatch(
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\dT\\S+Z container die ${id} \\(a=b, exitCode=3, image=${IMAGE}, name=renamed\\)$`,
      ),
    );
    const told = [
      'events',
      '--since',
      since,
      '--until',
      '0s',
      '--filter',
      'event=rename',
      '--format',
      'json',
    ];
    expect(JSON.parse((await mayfly(...told)).stdout)).toMatchObject({
      Action: 'rename',
      Actor: { ID: id, Attributes: { name: 'renamed', oldName: '/theirs', a: 'b' } },
    });
  });
});
