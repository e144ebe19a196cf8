import { mkdtempSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { Tmux } from '../../fixtures/tmux.ts';
import { requires } from '../../requires.ts';

/** Debian is fetched and installed from its mirror. */
const TIMEOUT = 180_000;

requires(
  'root',
  'mmdebstrap',
  'tmux',
)('a preset whose image is made of packages', () => {
  test(
    'shows its steps on a terminal, with how far each is, and leaves a line for each',
    async () => {
      const home = mkdtempSync('/var/tmp/mayfly-recipe-');
      try {
        await using terminal = await Tmux.start(home);
        await terminal.type('MAYFLY_IMAGES=recipe mayfly run -d --name kept redis; echo "exit $?"');
        await terminal.sees(/^mayfly: .*: making an image for redis from Debian packages, once$/);
        await terminal.sees(
          /^mayfly: \[1\/6\] mmdebstrap bookworm {2}\d+\.\d s .* {2}[a-z].*\.\.\.$/,
          TIMEOUT,
        );
        await terminal.sees(/^mayfly: \[4\/6\] .*redis-server {2}\d+\.\d s {2}\[=+ +\] {2}\w.*$/, TIMEOUT);
        const after = await terminal.sees(/^exit \d+$/, TIMEOUT);
        const lines = after.split('\n').filter((line) => line.startsWith('mayfly: ['));
        const seconds = '  \\d+\\.\\d s';
        const steps = ['mmdebstrap bookworm', 'prepare', 'apt-get update', 'apt-get install redis-server'];
        const titles = [...steps, 'clean up', 'keep the result as a layer'];
        expect(lines).toEqual(
          titles.map((title, i) =>
            expect.stringMatching(
              new RegExp(`^mayfly: \\[${i + 1}/6\\] ${title}${seconds}${i === 0 ? '  [\\d.]+ MiB' : ''}$`),
            ),
          ),
        );
        expect(after).toMatch(/^exit 0$/m);
        await terminal.type('mayfly rm -f kept; echo "removed $?"');
        await terminal.sees(/^removed 0$/);
        await expectNoLeaks(home);
      } finally {
        rmSync(home, { recursive: true });
      }
    },
    2 * TIMEOUT,
  );
});
