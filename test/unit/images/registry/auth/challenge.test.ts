import { expect, test } from 'vitest';
import { parseChallenges } from '../../../../../src/images/registry/auth/challenge.ts';

const parse = (...headers: string[]) =>
  parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test.each<[string, string[], unknown]>([
  [
    'a token server, as Docker Hub names it',
    ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"'],
    [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull',
        },
      ],
    ],
  ],
  [
    'commas within quotes',
    ['Bearer realm="https://h/t",scope="repository:a:pull,push"'],
    [['bearer', { realm: 'https://h/t', scope: 'repository:a:pull,push' }]],
  ],
  [
    'several headers',
    ['Basic realm="r"', 'Bearer realm="x"'],
    [
      ['basic', { realm: 'r' }],
      ['bearer', { realm: 'x' }],
    ],
  ],
  [
    'several in one header',
    ['Basic realm="r", Bearer realm="x"'],
    [
      ['basic', { realm: 'r' }],
      ['bearer', { realm: 'x' }],
    ],
  ],
  [
    'any case and any spaces',
    ['BEARER  Realm = "x" ,  Service=y'],
    [['bearer', { realm: 'x', service: 'y' }]],
  ],
  ['escaped quotes', ['Basic realm="a \\"b\\""'], [['basic', { realm: 'a "b"' }]]],
  ['a scheme alone', ['Negotiate'], [['negotiate', {}]]],
  [
    'a quote that never ends',
    ['Bearer realm="x'],
    [
      ['bearer', {}],
      ['realm', {}],
    ],
  ],
  ['nothing', [''], []],
  ['nonsense', ['"="'], []],
  ['__proto__', ['Bearer __proto__="x"'], [['bearer', Object.fromEntries([['__proto__', 'x']])]]],
])('reads %s', (_title, headers, expected) => {
  expect(parse(...headers)).toEqual(expected);
});

test('no header, no challenge', () => {
  expect(parseChallenges(undefined)).toEqual([]);
});
