import { expect, test } from 'vitest';
import { showBuild } from '../../../../src/cli/build/progress.ts';
import { deadlineIn, poll } from '../../../../src/support/deadline.ts';

const step = (number: number, text: string) => ({ stage: 'base', step: text, number, of: 3 });

test('on a terminal steps that are over stay, and those that run are shown below with their last line', async () => {
  let screen = '';
  const terminal = { columns: 60, write: (text: string) => (screen += text) };
  using progress = showBuild('tty', terminal);
  const { onProgress } = progress;
  onProgress({ kind: 'begin', ...step(1, 'FROM a') });
  onProgress({ kind: 'end', ...step(1, 'FROM a'), cached: true });
  onProgress({ kind: 'begin', ...step(2, 'RUN make \\\n   all') });
  onProgress({ kind: 'output', stage: 'base', stream: 'stdout', text: 'first' });
  onProgress({ kind: 'output', stage: 'base', stream: 'stdout', text: 'second' });
  const drawn = () => (screen.includes('second') ? true : undefined);
  await poll(drawn, { deadline: deadlineIn(10_000), what: 'the terminal to be drawn' });
  expect(screen).toMatch(/^\[base 1\/3\] FROM a {2}CACHED\n/);
  expect(screen).toMatch(/\[base 2\/3\] RUN make \\ all {2}\d\.\d s {2}second\n/);
  expect(screen).not.toContain('first');
  onProgress({ kind: 'end', ...step(2, 'RUN make'), cached: false });
  const erased = '\x1b[1A\r\x1b[J';
  expect(screen.slice(screen.lastIndexOf(erased) + erased.length)).toMatch(
    /^\[base 2\/3\] RUN make {2}\d\.\d s\n$/,
  );
});
