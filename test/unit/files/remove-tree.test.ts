import { existsSync, mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree } from '../../../src/files/remove-tree.ts';

let scratch: string;
let tree: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mayfly-remove-'));
  tree = join(scratch, 'tree');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file'), 'text');
});
afterEach(() => rm(scratch, { recursive: true }));

test('a directory with little in it has gone before anybody waits for that', async () => {
  const removed = removeTree(tree);
  expect(existsSync(tree)).toBe(false);
  await removed;
});

test('many entries are removed while the process does other things', async () => {
  for (let i = 0; i < 100; i += 1) writeFileSync(join(tree, `a/${i}`), '');
  const removed = removeTree(tree);
  expect(existsSync(tree)).toBe(true);
  await removed;
  expect(existsSync(tree)).toBe(false);
});

test('so is a large file', async () => {
  truncateSync(join(tree, 'a/b/file'), 64 << 20);
  const removed = removeTree(tree);
  expect(existsSync(join(tree, 'a/b/file'))).toBe(true);
  await removed;
  expect(existsSync(tree)).toBe(false);
});

test('what a link leads to stays', async () => {
  const outside = join(scratch, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), '');
  symlinkSync(outside, join(tree, 'a/link'));
  await removeTree(tree);
  expect(existsSync(tree)).toBe(false);
  expect(existsSync(join(outside, 'file'))).toBe(true);
});

test('a directory that is not there is no failure', async () => {
  await removeTree(join(scratch, 'none'));
});
