import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectJson, readJson, writeJson } from '../../../src/files/json-file.ts';
import { overwrite } from '../../../src/files/overwrite.ts';

let scratch: string;
let path: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mayfly-overwrite-'));
  path = join(scratch, 'file');
});
afterEach(() => rm(scratch, { recursive: true }));

test.each(['', 'short', 'ünïcödé, and longer than what was there before'])('a file becomes %j', (content) => {
  writeFileSync(path, 'what was there before', { mode: 0o644 });
  const { ino } = statSync(path);
  overwrite(path, content);
  expect(readFileSync(path, 'utf8')).toBe(content);
  expect(statSync(path)).toMatchObject({ ino, mode: 0o100644 });
});

test('a file that is not there is made, for its owner only', () => {
  overwrite(path, 'text');
  expect(readFileSync(path, 'utf8')).toBe('text');
  expect(statSync(path).mode).toBe(0o100600);
});

test('what is expected to be written is not there before it is, and nothing is left beside it', () => {
  expectJson(path);
  expect(readJson(path)).toBeUndefined();
  writeJson(path, { first: 'of all' });
  expect(readJson(path)).toEqual({ first: 'of all' });
  expectJson(path);
  expect(readJson(path)).toEqual({ first: 'of all' });
  writeJson(path, {});
  expect(readJson(path)).toEqual({});
  expect(readdirSync(scratch)).toEqual(['file']);
});

test('what somebody has left half written does not show', () => {
  writeFileSync(`${path}.new`, `${'x'.repeat(100)}`);
  writeJson(path, [1]);
  expect(readFileSync(path, 'utf8')).toBe('[1]');
});
