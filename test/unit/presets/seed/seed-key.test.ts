import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInputFiles } from '../../../../src/presets/seed/input-files.ts';
import { seedKey } from '../../../../src/presets/seed/seed-key.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mayfly-seed-key-'));
  mkdirSync(join(directory, 'migrations/old'), { recursive: true });
  for (const name of ['2.sql', '1.sql', 'old/0.sql', 'notes.txt'])
    writeFileSync(join(directory, 'migrations', name), `-- ${name}`);
});
afterEach(() => rmSync(directory, { recursive: true }));

const names = (...patterns: string[]) => readInputFiles(patterns, directory).map(({ name }) => name);
const keyOf = (
  inputs: { inputs?: string[]; files?: string[]; seed?: () => unknown } = {},
  identity = ['a'],
) => seedKey(identity, { seed: () => 1, ...inputs });

test('paths, directories and patterns name files, in the order of their names', () => {
  expect(names('migrations/1.sql')).toEqual(['migrations/1.sql']);
  expect(names('migrations/*.sql')).toEqual(['migrations/1.sql', 'migrations/2.sql']);
  expect(names('migrations/**/*.sql')).toEqual([
    'migrations/1.sql',
    'migrations/2.sql',
    'migrations/old/0.sql',
  ]);
  expect(names('migrations/old', 'migrations/notes.txt')).toEqual([
    'migrations/old/0.sql',
    'migrations/notes.txt',
  ]);
  expect(names(`${directory}/migrations/?.sql`)).toEqual([
    `${directory}/migrations/1.sql`,
    `${directory}/migrations/2.sql`,
  ]);
});

test('what names no file is an error, because it would never change', () => {
  for (const pattern of ['migrations/*.sq', 'migration', 'x/**', 'migrations/3.sql'])
    expect(() => names(pattern)).toThrow(expect.objectContaining({ code: 'snapshot.seed-input-missing' }));
});

test('the key changes with identity, texts, files, their names and the function, and with nothing else', () => {
  const file = join(directory, 'migrations/1.sql');
  const files = [file];
  const before = keyOf({ files });
  const keys = [
    keyOf(),
    keyOf({}, ['b']),
    keyOf({ inputs: ['x'] }),
    keyOf({ inputs: ['x', 'y'] }),
    keyOf({ inputs: ['xy'] }),
    keyOf({ seed: () => 2 }),
    before,
    keyOf({ files: [join(directory, 'migrations')] }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(keyOf()).toBe(keys[0]);
  expect(keyOf()).toMatch(/^[0-9a-f]{40}$/);
  writeFileSync(file, '-- changed');
  expect(keyOf({ files })).not.toBe(before);
  writeFileSync(file, '-- 1.sql');
  expect(keyOf({ files })).toBe(before);
});
