import { readdirSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { getContainer, listContainers } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { Tmux } from '../../fixtures/tmux.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const mayfly = (...words: string[]) => runCli(words, { env: { MAYFLY_HOME: TEST_HOME } });
const SHELL = `${IMAGE} bash --norc --noediting`;

requires(
  'root',
  'mmdebstrap',
  'tmux',
)('run -it and attach', () => {
  let terminal: Tmux;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(async () => {
    terminal = await Tmux.start(TEST_HOME);
  });
  afterEach(async () => {
    await terminal[Symbol.asyncDispose]();
    for (const { id } of await listContainers({ all: true }))
      await (await getContainer(id)).remove({ force: true });
    await expectNoLeaks(TEST_HOME);
  });

  test('is a shell on a terminal of the size of the window, from the start; the exit code is the shell’s', async () => {
    const before = await terminal.settings();
    await terminal.type(`mayfly run -it --rm -e "PS1=inner> " ${SHELL}`);
    await terminal.sees(/^inner> $/);
    await terminal.type('stty size; echo "$TERM $(tty)"; ls -l /dev/console | cut -c 1');
    await terminal.sees(/^30 100\nxterm \/dev\/pts\/0\nc$/);
    await terminal.type('sleep 1000');
    await terminal.sees(/^inner> sleep 1000$/);
    await terminal.press('C-c');
    await terminal.sees(/^\^C$/);
    await terminal.resize(80, 20);
    await terminal.type('while [ "$(stty size)" != "20 80" ]; do sleep 0.05; done; echo re""sized');
    await terminal.sees(/^resized$/);
    await terminal.type('exit 9');
    await terminal.sees(/^outer> $/);
    await terminal.type('echo "code $?"');
    await terminal.sees(/^code 9$/);
    expect(await terminal.settings()).toBe(before);
    expect(readdirSync(`${TEST_HOME}/containers`)).toEqual([]);
  });

  test('what fills the screen leaves it as it was', async () => {
    await terminal.type(`mayfly run -it --rm -e "PS1=inner> " -e TERM=screen ${SHELL}`);
    await terminal.sees(/^inner> $/);
    // What vi and less do: the other screen, the cursor moved without a carriage return, a key read as it is pressed.
    await terminal.type(
      `stty raw -echo; printf '\\033[?1049h\\033[2J\\033[H'; printf 'one\\ntwo'; dd bs=1 count=1 of=/dev/null 2>/dev/null; printf '\\033[?1049l'; stty sane`,
    );
    expect(await terminal.sees(/^one\n {3}two$/)).toBe('one\n   two');
    await terminal.press('q');
    await terminal.sees(/^inner> $/);
    expect(await terminal.screen()).toContain('outer> mayfly run');
    await terminal.type('exit');
    await terminal.sees(/^outer> $/);
  });

  test('the detach keys leave it running, attach comes back to it, and its end is seen', async () => {
    const before = await terminal.settings();
    await terminal.type(`mayfly run -it --name box -e "PS1=inner> " ${SHELL}`);
    await terminal.sees(/^inner> $/);
    await terminal.type('remembered=yes');
    await terminal.press('C-p', 'C-q');
    await terminal.sees(/^outer> $/);
    expect(await terminal.settings()).toBe(before);
    expect(await listContainers()).toMatchObject([{ name: 'box', status: 'running' }]);

    await terminal.type('mayfly attach --detach-keys x,y box');
    await terminal.type('echo "remembered: $remembered"');
    await terminal.sees(/^remembered: yes$/);
    await terminal.type('stty size');
    await terminal.sees(/^30 100$/);
    await terminal.press('x', 'y');
    await terminal.sees(/^outer> $/);
    expect(await terminal.settings()).toBe(before);

    await terminal.type('mayfly attach box; echo "code $?"');
    await terminal.type('echo again; exit 4');
    await terminal.sees(/^code 4$/);
    expect(await terminal.settings()).toBe(before);
    expect((await mayfly('ps', '-a', '--format', '{{.Names}} {{.Status}}')).stdout).toMatch(
      /^box Exited \(4\)/,
    );
    expect((await mayfly('logs', 'box')).stdout).toContain('remembered: yes');
  });

  test('errors, the death of the container and that of mayfly leave the terminal as it was', async () => {
    const before = await terminal.settings();
    await terminal.type(`mayfly run -it --rm ${IMAGE} no-such-command; echo "code $?"`);
    await terminal.sees(/^code 127$/);
    expect(await terminal.settings()).toBe(before);

    await terminal.type(
      `mayfly run -it --rm --name box ${IMAGE} sh -c 'echo he""re; exec sleep 1000'; echo "code $?"`,
    );
    await terminal.sees(/^here$/);
    expect(await terminal.settings()).not.toBe(before);
    await (await getContainer('box')).kill();
    await terminal.sees(/^code 137$/);
    expect(await terminal.settings()).toBe(before);

    await terminal.type(
      `mayfly run -it --rm --name box ${IMAGE} sh -c 'echo th""ere; exec sleep 1000'; echo "code $?"`,
    );
    await terminal.sees(/^there$/);
    process.kill(await terminal.foreground(), 'SIGTERM');
    await terminal.sees(/^code 143$/);
    expect(await terminal.settings()).toBe(before);
    await poll(async () => ((await listContainers({ all: true })).length === 0 ? true : undefined), {
      deadline: deadlineIn(10_000),
      what: 'the end of what has lost its mayfly',
    });
  });

  test('create and start -ai is run in two steps', async () => {
    const { stdout: id } = await mayfly(
      'create',
      '-it',
      '--name',
      'box',
      '-e',
      'PS1=inner> ',
      ...SHELL.split(' '),
    );
    expect(id).toMatch(/^[\da-f]{64}$/);
    expect((await mayfly('ps', '-a', '--format', '{{.Names}} {{.State}} {{.Status}}')).stdout).toBe(
      'box created Created',
    );
    expect(await listContainers()).toEqual([]);
    await terminal.type('mayfly start -ai box; echo "code $?"');
    await terminal.sees(/^inner> $/);
    await terminal.type('stty size; exit 6');
    await terminal.sees(/^30 100$/);
    await terminal.sees(/^code 6$/);
    expect((await mayfly('ps', '-a', '--format', '{{.Status}}')).stdout).toMatch(/^Exited \(6\)/);
  });
});
