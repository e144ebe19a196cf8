import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Container, startContainer } from '../../../src/index.ts';
import { mayfly } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { Tmux } from '../../fixtures/tmux.ts';
import { requires } from '../../requires.ts';

requires(
  'root',
  'mmdebstrap',
  'tmux',
)('exec -it', () => {
  let box: Container;
  let terminal: Tmux;
  beforeAll(async () => {
    box = await startContainer({
      image: await debian(),
      name: 'exec-it',
      command: ['sleep', 'infinity'],
      env: { PS1: 'inner> ' },
      stopTimeout: 0,
    });
  });
  afterAll(() => box.stop());
  beforeEach(async () => {
    terminal = await Tmux.start(TEST_HOME);
  });
  afterEach(() => terminal[Symbol.asyncDispose]());

  test('opens a shell of the size of the window, and follows the window', async () => {
    const before = await terminal.settings();
    await terminal.type('mayfly exec -it exec-it bash --norc --noediting');
    await terminal.sees(/^inner> $/);
    expect(await terminal.settings()).toMatch(/-icanon.* -echo /s);
    await terminal.type('stty size; echo $TERM');
    await terminal.sees(/^30 100\nxterm$/);
    await terminal.resize(80, 20);
    await terminal.type('while [ "$(stty size)" != "20 80" ]; do sleep 0.05; done; echo re""sized');
    await terminal.sees(/^resized$/);
    await terminal.resize(100, 30);
    await terminal.type('exit 9');
    await terminal.sees(/^outer> $/);
    await terminal.type('echo "code $?"');
    await terminal.sees(/^code 9$/);
    expect(await terminal.settings()).toBe(before);
  });

  test('^C reaches what runs inside, and not mayfly', async () => {
    await terminal.type('mayfly exec -it exec-it bash --norc --noediting');
    await terminal.sees(/^inner> $/);
    await terminal.type('sleep 1000');
    await terminal.sees(/^inner> sleep 1000$/);
    await terminal.press('C-c');
    await terminal.sees(/^\^C$/);
    await terminal.type('echo "code $?"');
    await terminal.sees(/^code 130$/);
  });

  test('the detach keys leave the command running, with a terminal that is as it was', async () => {
    const before = await terminal.settings();
    await terminal.type("mayfly exec -it exec-it sh -c 'echo here; echo $$ > /pid; exec sleep 1000'");
    await terminal.sees(/^here$/);
    await terminal.press('C-p', 'C-q');
    await terminal.sees(/^outer> $/);
    expect(await terminal.settings()).toBe(before);
    const { stdout } = await box.exec(['sh', '-c', 'cat /proc/$(cat /pid)/cmdline | tr "\\0" " "']);
    expect(stdout).toBe('sleep 1000 ');
    await box.exec(['sh', '-c', 'kill $(cat /pid)']);
  });

  test('an error, and the death of the command, leave the terminal as it was', async () => {
    const before = await terminal.settings();
    await terminal.type('mayfly exec -it exec-it no-such-command; echo "code $?"');
    await terminal.sees(/^code 127$/);
    expect(await terminal.settings()).toBe(before);
    await terminal.type('mayfly exec -it exec-it sh -c \'kill -9 $$\'; echo "code $?"');
    await terminal.sees(/^code 137$/);
    expect(await terminal.settings()).toBe(before);
    await terminal.type("mayfly exec -it exec-it sh -c 'echo he''re; exec sleep 1000'; echo \"code $?\"");
    await terminal.sees(/^here$/);
    process.kill(await terminal.foreground(), 'SIGTERM');
    await terminal.sees(/^code 143$/);
    expect(await terminal.settings()).toBe(before);
  });

  test('-it without a terminal is refused in docker’s words, and -d runs it in the background', async () => {
    const env = { MAYFLY_HOME: TEST_HOME };
    const refused = await mayfly(['exec', '-it', 'exec-it', 'true'], { env });
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^mayfly: the input device is not a TTY/),
    });
    expect(await mayfly(['exec', '-t', 'exec-it', 'tty'], { env })).toMatchObject({
      exitCode: 0,
      stdout: '/dev/pts/0',
    });
    const detached = await mayfly(
      ['exec', '-d', 'exec-it', 'sh', '-c', 'yes | head -n 99999; touch /done; sleep 1000'],
      { env },
    );
    expect(detached).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const { exitCode } = await box.exec(['sh', '-c', 'while [ ! -e /done ]; do sleep 0.01; done'], {
      timeout: '10s',
    });
    expect(exitCode).toBe(0);
  });
});
