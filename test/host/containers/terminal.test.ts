import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { startContainer, Wait } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const SCRIPT =
  'read -r go; tty; stty size; echo err >&2; stat -c "%U %t:%T" $(tty) /dev/console; cat /dev/console & sleep 0.1; echo $TERM';

requires('root', 'mmdebstrap')('the terminal of a first process', () => {
  beforeAll(async () => {
    await debian();
  });

  test.each([
    ['root', {}],
    ['another user', { user: 'nobody' }],
    ['a private user namespace', { userns: 'private' } as const],
    ['a process that is PID 1 itself', { init: false }],
  ])('is the container’s console, and owned by it: %s', async (_, options) => {
    const size = { columns: 99, rows: 33 };
    await using box = await startContainer({
      image: IMAGE,
      command: ['sh', '-c', SCRIPT],
      tty: size,
      stopTimeout: 0,
      ...options,
    });
    const streams = await box.attach();
    streams.stdin.write('go\n');
    const owner = 'user' in options ? 'nobody' : 'root';
    expect((await text(streams.stdout)).split('\r\n')).toEqual([
      'go',
      '/dev/pts/0',
      '33 99',
      'err',
      `${owner} 88:0`,
      `${owner} 88:0`,
      'xterm',
      '',
    ]);
    const logged: string[] = [];
    for await (const line of box.logs()) logged.push(`${line.stream} ${line.text.trimEnd()}`);
    expect(logged).toContain('stdout err');
    expect((await box.inspect()).Config).toMatchObject({ Tty: true, OpenStdin: false });
  });

  test('is there again after a restart', async () => {
    await using box = await startContainer({
      image: IMAGE,
      command: ['sh', '-c', 'tty; read -r end'],
      tty: true,
      waitFor: Wait.forLogMessage('/dev/pts/0'),
      stopTimeout: 0,
    });
    await box.restart();
    const streams = await box.attach();
    const seen = text(streams.stdout);
    streams.stdin.write('end\n');
    expect(await seen).toContain('end');
    await box.wait();
    const lines: string[] = [];
    for await (const line of box.logs()) lines.push(line.text.trimEnd());
    expect(lines.filter((line) => line === '/dev/pts/0')).toHaveLength(2);
  });

  test('nobody at it holds nothing up', async () => {
    await using box = await startContainer({
      image: IMAGE,
      command: ['sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" x; exit 5'],
      tty: true,
    });
    await poll(() => (box.parts.run.exit === undefined ? undefined : true), {
      deadline: deadlineIn(20_000),
      what: 'its end',
    });
    expect(await box.wait()).toMatchObject({ exitCode: 5 });
  });
});
