import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { Tmux } from '../../fixtures/tmux.ts';
import { installForUser, type UserInstallation } from '../../fixtures/user-installation.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const SHELL = `-e "PS1=inner> " ${IMAGE} bash --norc --noediting`;

requires(
  'root',
  'ordinary-user',
  'mmdebstrap',
  'build',
  'tmux',
)("an ordinary user's terminal", () => {
  let install: UserInstallation;
  let terminal: Tmux;
  beforeAll(async () => {
    install = await installForUser();
    await install.run(`
      import { importImage } from 'mayfly';
      const { id } = await importImage(process.env.TARBALL, { reference: '${IMAGE}' });
      console.log(JSON.stringify(id));
    `);
  });
  beforeEach(async () => {
    terminal = await Tmux.start(install.home, { program: install.program, user: install.as });
  });
  afterEach(async () => {
    await terminal?.[Symbol.asyncDispose]();
    await expectNoLeaks(install.home);
    expect(leftOnDisk(install.home)).toEqual([]);
  });
  afterAll(async () => install?.[Symbol.asyncDispose]());

  test('run -it is a shell of root in the container, of the size of the window, whose keys are its own', async () => {
    const before = await terminal.settings();
    await terminal.type('id -un');
    await terminal.sees(/^mayfly-test$/);
    await terminal.type(`mayfly run -it --rm ${SHELL}`);
    await terminal.sees(/^inner> $/);
    await terminal.type('stty size; id -u; echo "$TERM $(tty)"');
    await terminal.sees(/^30 100\n0\nxterm \/dev\/pts\/0$/);
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
  });

  test('exec -it has a terminal beside it, and detaching leaves the container running', async () => {
    await terminal.type(`mayfly run -it --name box ${SHELL}`);
    await terminal.sees(/^inner> $/);
    await terminal.press('C-p', 'C-q');
    await terminal.sees(/^outer> $/);
    await terminal.type('mayfly exec -it box sh -c "tty; read x; echo got \\$x; exit 5"; echo "code $?"');
    await terminal.sees(/^\/dev\/pts\/1$/);
    await terminal.type('this');
    await terminal.sees(/^got this\ncode 5$/);
    await terminal.type('mayfly rm -f box; echo "rm $?"');
    await terminal.sees(/^rm 0$/);
  });
});
