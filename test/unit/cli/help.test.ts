import { expect, test } from 'vitest';
import { type Command, command } from '../../../src/cli/command.ts';
import { helpOn } from '../../../src/cli/help.ts';

const load = async () => ({ run: () => 0 });
/** Handlers that take nothing are for tests alone. */
const line = command as unknown as (line: object) => Command;
const COMMANDS = {
  ps: line({
    aliases: ['ls'],
    summary: 'List containers',
    options: {
      all: { type: 'boolean', short: 'a', help: 'Ended ones too' },
      last: { type: 'integer', short: 'n', value: 'N', default: -1, help: 'The last N' },
      order: { type: 'string', value: 'ORDER', choices: ['up', 'down'], help: 'Which way' },
      filter: { type: 'list', value: 'FILTER', help: 'Only these' },
    },
    arguments: { containerName: { help: 'Which' }, rest: { help: 'More', optional: true, variadic: true } },
    examples: [{ command: 'mayfly ps -a', does: 'Lists all' }],
    load,
  }),
  'network ls': line({ summary: 'List networks', examples: [], load }),
};

test('help on a command reads as a manual page does', () => {
  expect(helpOn('ps', COMMANDS).join('\n')).toMatchInlineSnapshot(`
    "NAME
      mayfly ps - list containers

    SYNOPSIS
      mayfly ps [OPTIONS] CONTAINER-NAME [REST...]

    ALIASES
      ls

    ARGUMENTS
      CONTAINER-NAME   Which
      [REST...]        More

    OPTIONS
      -a, --all             Ended ones too
      -n, --last N          The last N (default: -1)
          --order ORDER     Which way (one of up, down)
          --filter FILTER   Only these (may be given several times)
          --help            Show this

    EXAMPLES
      mayfly ps -a
        Lists all"
  `);
  expect(helpOn('ls', COMMANDS)).toEqual(helpOn('ps', COMMANDS));
});

test('help on a group lists the commands of the group', () => {
  const text = helpOn('network', COMMANDS).join('\n');
  expect(text).toContain('network ls   List networks');
  expect(text).not.toContain('List containers');
});

test('there is no help on what there is not', () => {
  expect(() => helpOn('nothing', COMMANDS)).toThrow("unknown command 'nothing'");
});
