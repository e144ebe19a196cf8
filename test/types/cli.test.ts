import { test } from 'vitest';
import { command, type Invocation } from '../../src/cli/command.ts';

const line = { summary: 'Do something', examples: [] };
const handler = { run: (_: Invocation<{ all: boolean; name: string | undefined }, { id: string }>) => 0 };
const load = async () => handler;
const all = { type: 'boolean', help: 'All' } as const;
const name = { type: 'string', value: 'NAME', help: 'Its name' } as const;
const id = { help: 'Which' } as const;

test('a line of the table and its handler have to agree', () => {
  command({ ...line, options: { all, name }, arguments: { id }, load });
  // @ts-expect-error: nobody handles it
  command({ ...line });
  // @ts-expect-error: the handler wants an option that the table does not have
  command({ ...line, options: { all }, arguments: { id }, load });
  // @ts-expect-error: the handler forgets an option that the table has
  command({ ...line, options: { all, name, more: all }, arguments: { id }, load });
  // @ts-expect-error: the handler forgets an argument
  command({ ...line, options: { all, name }, arguments: { id, other: id }, load });
  // @ts-expect-error: an option of another type
  command({ ...line, options: { all: name, name }, arguments: { id }, load });
  // @ts-expect-error: an argument that may be missing
  command({ ...line, options: { all, name }, arguments: { id: { help: 'Which', optional: true } }, load });
});
