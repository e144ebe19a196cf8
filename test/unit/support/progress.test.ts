import { expect, test, vi } from 'vitest';
import { numbered, reportProgress } from '../../../src/support/progress.ts';

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
  step.update({ bytes: 1024, share: 0.5 });
  step.update({ note: 'a note that is so long that the line has to end before it, as the terminal does' });
  vi.advanceTimersByTime(100);
  step.done();
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  const lines = out.text().split('\x1b[1A\r\x1b[J');
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.at(-2)).toMatch(
    /^mayfly: unpack {2}\d\.\d s {2}1\.0 KiB {2}\[={12} {12}\] {2}a note that [^\n]*\n$/,
  );
  expect(lines.at(-2)!.length).toBe(80);
  expect(lines.at(-1)).toMatch(/^mayfly: unpack {2}\d\.\d s {2}1\.0 KiB\n$/);
});

test('steps are numbered from where they begin', () => {
  const out = terminal(false);
  const progress = numbered(reportProgress(out), { from: 2, of: 3 });
  progress.step('prepare').done();
  progress.step('install').done();
  expect(out.text().replaceAll(/\d+\.\d s/g, '')).toBe('mayfly: [2/3] prepare  \nmayfly: [3/3] install  \n');
});
