import { expect, test } from 'vitest';
import { LogParser } from '../../../src/containers/log-line.ts';

const TIME = '2026-11-24T10:00:00.123456789Z';
const parse = (...chunks: string[]) => {
  const parser = new LogParser();
  const lines = chunks.flatMap((chunk) => parser.push(Buffer.from(chunk)));
  return { texts: lines.map(({ stream, text }) => `${stream} ${text}`), lines, parser };
};

test('records become lines with stream, time and text', () => {
  const { lines } = parse(`${TIME} stdout F hello world\n`);
  expect(lines).toEqual([
    { stream: 'stdout', time: new Date('2026-11-24T10:00:00.123Z'), text: 'hello world' },
  ]);
});

test('pieces of one line are joined, each stream for itself', () => {
  const { texts } = parse(`${TIME} stdout P he\n${TIME} stderr F oops\n${TIME} stdout F llo\n`);
  expect(texts).toEqual(['stderr oops', 'stdout hello']);
});

test('a record may come in any number of chunks', () => {
  expect(parse(`${TIME} std`, 'out F a', 'b\n').texts).toEqual(['stdout ab']);
});

test('a log over its limit begins with a hole and half a record, which are passed over', () => {
  expect(parse(`\0\0\0\0lf a record\n${TIME} stdout F whole\n`).texts).toEqual(['stdout whole']);
});

test('what came after the last line feed is there to be flushed', () => {
  const { parser } = parse(`${TIME} stderr P no end\n`);
  expect(parser.flush()).toMatchObject([{ stream: 'stderr', text: 'no end' }]);
});

test('empty lines and carriage returns', () => {
  expect(parse(`${TIME} stdout F \n${TIME} stdout F dos\r\n`).texts).toEqual(['stdout ', 'stdout dos']);
});
