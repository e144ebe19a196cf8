import { expect, test } from 'vitest';
import { type CreateOptions, containerOptions } from '../../../../src/cli/container/options.ts';
import { parseCommandLine } from '../../../../src/cli/parse.ts';
import { COMMANDS } from '../../../../src/cli/table.ts';

function optionsOf(...words: string[]) {
  const request = parseCommandLine(['run', ...words], COMMANDS);
  if (request.kind !== 'run') throw new Error('no command');
  const args = request.args as { image: string; command: string[] };
  return containerOptions(request.options as CreateOptions, args, {});
}

test('a container is asked for nothing that the command line does not say', () => {
  expect(optionsOf('box', 'true')).toEqual({ image: 'box', command: ['true'], pull: 'missing' });
});

test('what is said to be nothing is said', () => {
  expect(optionsOf('--entrypoint', '', '--no-healthcheck', 'box')).toEqual({
    image: 'box',
    pull: 'missing',
    entrypoint: [],
    healthCheck: false,
  });
});

test('what is given arrives', () => {
  const given = ['--rm', '-e', 'A=1', '-l', 'b=2', '--cap-add', 'NET_ADMIN', '--network', 'none'];
  expect(optionsOf(...given, '--read-only', '--add-host', 'db:10.0.0.1', 'box')).toEqual({
    image: 'box',
    pull: 'missing',
    autoRemove: true,
    env: { A: '1' },
    labels: { b: '2' },
    capAdd: ['NET_ADMIN'],
    network: 'none',
    readOnly: true,
    extraHosts: { db: '10.0.0.1' },
  });
});
