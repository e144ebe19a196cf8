import { expect, test } from 'vitest';
import { resolveLinks } from '../../../src/files/resolve-links.ts';

const links: Readonly<Record<string, string>> = {
  './var/run': '/run',
  './a': 'b/../c',
  './c': './d/',
  './up': '../../..',
  './loop': 'loop/x',
  './run/deep': '../var',
};

test.each([
  ['.', '.'],
  ['./x/y', './x/y'],
  ['./var/run', './run'],
  ['./var/run/x/y', './run/x/y'],
  ['./a/x', './d/x'],
  ['./up/x', './x'],
  ['./var/run/deep/run/x', './run/x'],
  ['./x/../../..//y/.', './y'],
])('%s leads to %s', (path, expected) => {
  expect(resolveLinks(path, (at) => links[at])).toBe(expected);
});

test('a loop is refused', () => {
  expect(() => resolveLinks('./loop', (at) => links[at])).toThrow('loop of links (ELOOP)');
});
