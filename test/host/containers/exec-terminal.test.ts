import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Container, startContainer } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

/** Collects what a terminal shows; `sees` waits until that has a text in it. */
function watchScreen(stdout: Readable) {
  let shown = '';
  stdout.on('data', (chunk) => {
    shown += String(chunk);
  });
  return {
    text: () => shown,
    sees: (what: string | RegExp) =>
      poll(() => (shown.search(what) >= 0 ? true : undefined), {
        deadline: deadlineIn(10_000),
        what: `${what} on the screen`,
      }),
  };
}

requires('root', 'mmdebstrap')('exec on a terminal', () => {
  let box: Container;
  beforeAll(async () => {
    box = await startContainer({ image: await debian(), command: ['sleep', 'infinity'], stopTimeout: 0 });
  });
  afterAll(() => box.stop());

  test('is a terminal on all three streams, the controlling one, owned by the user, of the size that was asked for', async () => {
    const script =
      'tty; tty <&1; tty <&2; test -c /dev/tty && : </dev/tty && echo mine; stty size; echo $TERM; ' +
      'stat -c "%t:%T %u %g %a" $(tty); echo done';
    await using run = await box.execTerminal(['sh', '-c', script], {
      size: { columns: 91, rows: 17 },
      user: 'nobody',
    });
    const screen = watchScreen(run.stdout);
    expect(await run.exited).toEqual({ exitCode: 0 });
    await screen.sees('done');
    expect(screen.text().split('\r\n')).toEqual([
      '/dev/pts/0',
      '/dev/pts/0',
      '/dev/pts/0',
      'mine',
      '17 91',
      'xterm',
      '88:0 65534 5 620',
      'done',
      '',
    ]);
  });

  test('what is typed is echoed, and ^C reaches the foreground process', async () => {
    await using run = await box.execTerminal(['bash', '--norc', '--noediting']);
    const screen = watchScreen(run.stdout);
    run.stdin.write('PS1="ready> "\n');
    await screen.sees(/ready> $/);
    run.stdin.write('sleep 100; echo "ended with $?"\n');
    await screen.sees(/sleep 100; echo.*\r\n$/);
    run.stdin.write('\x03');
    await screen.sees('\\^C');
    run.stdin.write('exit 7\n');
    expect(await run.exited).toEqual({ exitCode: 7 });
  });

  test('a new size is told by SIGWINCH', async () => {
    const script = 'trap "stty size" WINCH; echo armed; while :; do sleep 0.05; done';
    await using run = await box.execTerminal(['sh', '-c', script]);
    const screen = watchScreen(run.stdout);
    await screen.sees('armed');
    run.resize({ columns: 120, rows: 40 });
    await screen.sees('40 120');
  });

  test('loses nothing of much output to a reader that takes its time', async () => {
    await using run = await box.execTerminal(['sh', '-c', 'stty raw; head -c 3000000 /dev/zero']);
    let bytes = 0;
    for await (const chunk of run.stdout) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(3_000_000);
    expect(await run.exited).toEqual({ exitCode: 0 });
  });

  test('the end of the block ends it, and each terminal goes with its command', async () => {
    for (let i = 0; i < 3; i++) {
      await using run = await box.execTerminal(['cat']);
      run.stdin.write('hello\n');
      await watchScreen(run.stdout).sees('hello\r\nhello\r\n');
    }
    const { stdout } = await box.exec(['ls', '/dev/pts']);
    expect(stdout).toBe('ptmx\n');
    await expect(box.execTerminal(['no-such-command'])).rejects.toMatchObject({ exitCode: 127 });
  });

  test('a planted /dev/pts/ptmx is refused', async () => {
    await using hostile = await startContainer({
      image: await debian(),
      command: [
        'sh',
        '-c',
        'umount -l /dev/pts; ln -s /dev/null /dev/pts/ptmx; echo planted; exec sleep infinity',
      ],
      privileged: true,
      stopTimeout: 0,
    });
    for await (const line of hostile.logs({ follow: true })) if (line.text === 'planted') break;
    await expect(hostile.execTerminal(['true'])).rejects.toMatchObject({
      code: 'kernel.program',
      errno: 'ELOOP',
    });
    await hostile.exec(['sh', '-c', 'rm /dev/pts/ptmx; mknod /dev/pts/ptmx c 1 3']);
    await expect(hostile.execTerminal(['true'])).rejects.toMatchObject({
      code: 'kernel.program',
      errno: 'ENOTTY',
    });
  });
});
