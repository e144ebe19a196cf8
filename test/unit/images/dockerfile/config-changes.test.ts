import { expect, test } from 'vitest';
import { changeConfig, changesConfig } from '../../../../src/images/dockerfile/config-changes.ts';
import { parseDockerfile } from '../../../../src/images/dockerfile/parse.ts';
import type { ImageConfig } from '../../../../src/images/store/image.ts';

const scope = { lookup: (name: string) => ({ V: '1.2' })[name], escape: '\\' };

/** The configuration after these lines, on top of an image's. */
function configured(text: string, config: ImageConfig = {}): ImageConfig {
  return parseDockerfile(text).instructions.reduce((before, instruction) => {
    if (!changesConfig(instruction)) throw new Error(`${instruction.keyword} changes more`);
    return changeConfig(before, instruction, { scope, hasCmd: false });
  }, config);
}

test('commands in the exec form stay as they are, those in the shell form get the shell of the image', () => {
  expect(configured('CMD ["a", "b"]')).toEqual({ Cmd: ['a', 'b'] });
  expect(configured('CMD a $V')).toEqual({ Cmd: ['/bin/sh', '-c', 'a $V'] });
  expect(configured('SHELL ["/bin/bash", "-ec"]\nENTRYPOINT a')).toEqual({
    Shell: ['/bin/bash', '-ec'],
    Entrypoint: ['/bin/bash', '-ec', 'a'],
  });
});

test('an entrypoint puts the command of the image below out of force', () => {
  expect(configured('ENTRYPOINT ["a"]', { Cmd: ['b'] })).toEqual({ Entrypoint: ['a'] });
});

test('ENV and LABEL take pairs, quotes, and the old form with a blank', () => {
  expect(configured('ENV A=1 B="2 3" C=$V\nENV D the rest $V', { Env: ['A=0', 'Z=26'] }).Env).toEqual([
    'A=1',
    'Z=26',
    'B=2 3',
    'C=1.2',
    'D=the rest 1.2',
  ]);
  expect(configured(`LABEL "a=b"='c d' e=f`).Labels).toEqual({ 'a=b': 'c d', e: 'f' });
});

test('all pairs of one ENV see the values of before', () => {
  expect(configured('ENV V=2 W=$V').Env).toEqual(['V=2', 'W=1.2']);
});

test('ports, volumes, directories and the rest', () => {
  expect(configured('EXPOSE 80 53/udp 8000-8002').ExposedPorts).toEqual({
    '80/tcp': {},
    '53/udp': {},
    '8000/tcp': {},
    '8001/tcp': {},
    '8002/tcp': {},
  });
  expect(configured('VOLUME ["/a b"]\nVOLUME /c /d').Volumes).toEqual({ '/a b': {}, '/c': {}, '/d': {} });
  expect(configured('WORKDIR /a\nWORKDIR b/../c').WorkingDir).toBe('/a/c');
  expect(configured('USER me:us\nSTOPSIGNAL SIGINT')).toEqual({ User: 'me:us', StopSignal: 'SIGINT' });
  expect(configured('ONBUILD RUN a\nONBUILD COPY . /b').OnBuild).toEqual(['RUN a', 'COPY . /b']);
});

test('health checks in nanoseconds, as Docker keeps them', () => {
  expect(configured('HEALTHCHECK --interval=5s --retries=2 CMD curl localhost').Healthcheck).toMatchObject({
    Test: ['CMD-SHELL', 'curl localhost'],
    Interval: 5e9,
    Retries: 2,
  });
  expect(configured('HEALTHCHECK NONE').Healthcheck).toEqual({ Test: ['NONE'] });
});

test.for([
  'EXPOSE none',
  'EXPOSE 0',
  'EXPOSE 70000',
  'EXPOSE 9-8',
  'ENV A',
  'LABEL a',
  'SHELL sh -c',
  'HEALTHCHECK a',
  'VOLUME [""]',
])('%s is refused', (text) => {
  expect(() => configured(text)).toThrow();
});
