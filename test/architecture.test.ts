import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkArchitecture, type SourceFiles } from './architecture.ts';

const ROOT = join(import.meta.dirname, '..');

function readSources(): SourceFiles {
  const paths = ['src', 'presets', 'examples'].flatMap((directory) =>
    readdirSync(join(ROOT, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|c|h)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return new Map(paths.map((path) => [relative(ROOT, path), readFileSync(path, 'utf8')]));
}

test('imports point down, siblings do not know each other, files are small and have names', () => {
  const sources = readSources();
  expect([...sources.keys()]).toEqual(expect.arrayContaining(['src/index.ts', 'presets/postgres/index.ts']));
  expect(checkArchitecture(sources)).toEqual([]);
});

describe('the check finds', () => {
  const check = (path: string, text: string) => checkArchitecture(new Map([[path, text]]));

  test.each([
    ['an import upwards', 'src/kernel/a.ts', "import { b } from '../runtime/b.ts';"],
    ['an import upwards of a type', 'src/support/a.ts', "import type { B } from '../kernel/b.ts';"],
    ['an import of the index', 'src/containers/a.ts', "import { b } from '../index.ts';"],
    ['an import between siblings', 'src/images/a.ts', "import { b } from '../networks/b.ts';"],
    ['a re-export', 'src/kernel/a.ts', "export { b } from '../containers/b.ts';"],
    ['a re-export of everything', 'src/kernel/a.ts', "export * from '../containers/b.ts';"],
    ['a dynamic import', 'src/kernel/a.ts', "const b = await import('../containers/b.ts');"],
    ['a type named by import()', 'src/kernel/a.ts', "let b: import('../containers/b.ts').B;"],
    [
      'an import of a layer that is not in the table',
      'src/kernel/a.ts',
      "import { b } from '../extra/b.ts';",
    ],
    ['an import out of src', 'src/presets/a.ts', "import { b } from '../../presets/postgres/index.ts';"],
    ['koffi in the wrong place', 'src/kernel/a.ts', "import koffi from 'koffi';"],
    ['the package importing itself', 'src/runtime/a.ts', "import { b } from 'mayfly';"],
    ['a preset loaded by the index', 'src/index.ts', "import 'mayfly/presets/postgres';"],
    ['a preset that reaches into src', 'presets/redis/index.ts', "import { b } from '../../src/index.ts';"],
    ['an example that reaches into src', 'examples/a.ts', "import { b } from '../src/index.ts';"],
    ['a preset that reaches into another', 'presets/redis/index.ts', "import { b } from '../postgres/b.ts';"],
    [
      'a second place where image and network meet',
      'src/containers/a.ts',
      "import { b } from '../images/b.ts';\nimport { c } from '../networks/c.ts';",
    ],
    ['a vague name of a file', 'src/kernel/utils.ts', ''],
    ['a vague name of a directory', 'src/kernel/common/a.ts', ''],
    ['a file that has become the system', 'src/kernel/shim/a.c', '\n'.repeat(301)],
  ])('%s', (_, path, text) => {
    expect(check(path, text)).toHaveLength(1);
  });

  test('and says where the offending edge is', () => {
    expect(check('src/kernel/a.ts', "\nimport { b } from '../runtime/b.ts';")).toEqual([
      'src/kernel/a.ts:2 -> ../runtime/b.ts: kernel lies below runtime',
    ]);
  });

  test.each([
    ['an import downwards', 'src/containers/wait/a.ts', "import { b } from '../../kernel/netlink/b.ts';"],
    ['an import within a layer', 'src/images/a.ts', "import { b } from './layers/b.ts';"],
    [
      'types of several',
      'src/containers/a.ts',
      "import type { B } from '../images/b.ts';\nimport { c } from '../runtime/c.ts';",
    ],
    ['a preset by name', 'examples/a.ts', "import { postgres } from 'mayfly/presets/postgres';"],
    ['a second file of a preset', 'presets/postgres/index.ts', "import { b } from './sql/b.ts';"],
    ['a long table', 'src/kernel/syscalls/x64.ts', '\n'.repeat(500)],
    [
      'an import in a comment or a string',
      'src/kernel/a.ts',
      "// import '../runtime/b.ts'\nconst a = 'import \"../cli/b.ts\"';",
    ],
  ])('nothing wrong with %s', (_, path, text) => {
    expect(check(path, text)).toEqual([]);
  });
});
