import { expect, test, vi } from 'vitest';
import { showTransfer } from '../../../../src/images/transfer/show-transfer.ts';

const layer = `sha256:${'a'.repeat(64)}`;
const progress = (phase: 'download' | 'unpack' | 'done', bytes: number) => ({
  reference: 'app:1',
  layer,
  phase,
  bytes,
  totalBytes: 4096,
});

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 80, written, write: (text: string) => written.push(text) };
}

test('on a terminal each layer has a line that is drawn over, and goes when all is done', async () => {
  const screen = terminal(true);
  const shown = showTransfer('pull', 'app:1', screen);
  shown.update(progress('download', 2048));
  await vi.waitUntil(() => screen.written.length > 0);
  expect(screen.written.at(-1)).toBe(
    '  aaaaaaaaaaaa  download  [============            ] 2.0 KiB of 4.0 KiB\n',
  );
  shown.update(progress('unpack', 9000));
  await vi.waitUntil(() => screen.written.length > 1);
  expect(screen.written.at(-1)).toBe('\u001b[1A\r\u001b[J  aaaaaaaaaaaa  unpack    8.8 KiB\n');
  shown.done();
  expect(screen.written.slice(-2)).toEqual([
    '\u001b[1A\r\u001b[J',
    expect.stringMatching(/^mayfly: pull app:1 {2}\d+\.\d s {2}1 layer {2}4.0 KiB\n$/),
  ]);
});

test('elsewhere there is one line at the end, and none when nothing was moved', () => {
  const log = terminal(false);
  showTransfer('pull', 'app:1', log).done();
  expect(log.written).toEqual([]);
  const shown = showTransfer('pull', 'app:1', log);
  shown.update(progress('download', 1));
  shown.failed();
  expect(log.written).toEqual([expect.stringMatching(/^mayfly: pull app:1 .*failed\n$/)]);
});
