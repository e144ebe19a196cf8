import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../src/cli/command.ts';
import { shownOptions } from '../../../src/cli/command.ts';
import { parseCommandLine } from '../../../src/cli/parse.ts';
import { COMMANDS } from '../../../src/cli/table.ts';
import { withCommandTable } from '../../../tools/command-table.ts';
import { readImports } from '../../imports.ts';

const ROOT = join(import.meta.dirname, '../../..');

describe.each(Object.entries<Command>(COMMANDS))('mayfly %s', (name, command) => {
  test('has a handler', async () => {
    expect(await command.load()).toHaveProperty('run', expect.any(Function));
  });

  test('is summed up and explained without full stops', () => {
    const texts = [
      command.summary,
      ...command.examples.map(({ does }) => does),
      ...shownOptions(command).map(([, { help }]) => help),
      ...Object.values(command.arguments).map(({ help }) => help),
    ];
    for (const text of texts) expect(text).toMatch(/^[A-Z`].*[^.]$/);
  });

  test('has examples that it understands', () => {
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { command: line } of command.examples) {
      const words = /mayfly ([^<>|)]*)/
        .exec(line)![1]!
        .trim()
        .match(/'[^']*'|\S+/g)!;
      const request = parseCommandLine(
        words.map((word) => word.replace(/^'(.*)'$/, '$1')),
        COMMANDS,
      );
      expect(request).toMatchObject({ kind: 'run', name });
    }
  });

  test('has no two options of one letter', () => {
    const letters = shownOptions(command).flatMap(([, { short = [] }]) => short);
    expect(new Set(letters).size).toBe(letters.length);
  });
});

test('no alias is taken twice', () => {
  const names = Object.entries<Command>(COMMANDS).flatMap(([name, { aliases }]) => [name, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
});

test('the README has the table of commands as it is; npm run docs writes it', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  expect(withCommandTable(readme, COMMANDS)).toBe(readme);
});

test('nothing that is slow to load is loaded before a command asks for it', () => {
  const begin = ['bundled.ts', 'mayfly.ts', 'main.ts', 'table.ts', 'commands/version.ts', 'commands/help.ts'];
  const start = begin.map((file) => `src/cli/${file}`);
  const found = new Set<string>();
  const files = new Set(start);
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const { specifier, typeOnly, dynamic } of readImports(file, text)) {
      if (typeOnly || dynamic) continue;
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else if (!specifier.startsWith('node:')) found.add(specifier);
    }
  }
  expect([...found]).toEqual(['commander']);
  expect(files.size).toBeLessThan(25);
});
