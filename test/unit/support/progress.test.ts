import { expect, test, vi } from 'vitest';
import { reportProgress } from '../../../src/support/progress.ts';

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, write: (text: string) => written.push(text), text: () => written.join('') };
}

test('off a terminal there is one line a step, when it is over', () => {
  const out = terminal(false);
  const progress = reportProgress(out);
  progress.say('making an image');
  const step = progress.step('unpack');
  step.update({ bytes: 3 << 20, totalBytes: 6 << 20 });
  step.done();
  progress.step('install').failed();
  expect(out.text()).toMatch(
    /^mayfly: making an image\nmayfly: unpack {2}\d+\.\d s {2}3\.0 MiB of 6\.0 MiB\nmayfly: install {2}\d+\.\d s {2}failed\n$/,
  );
});

test('on a terminal the line is drawn again and again, and stays when the step is over', () => {
  vi.useFakeTimers();
  const out = terminal(true);
  const step = reportProgress(out).step('unpack');
  vi.advanceTimersByTime(250);
  step.update({ bytes: 1024 });
  vi.advanceTimersByTime(100);
  step.done();
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  const lines = out.text().split('\r\x1b[2K');
  expect(lines).toHaveLength(5);
  expect(lines.at(-1)).toMatch(/^mayfly: unpack {2}\d\.\d s {2}1\.0 KiB\n$/);
});
