import { expect, test } from 'vitest';
import { resolveCopy } from '../../../../src/images/dockerfile/copy-step.ts';
import { parseDockerfile } from '../../../../src/images/dockerfile/parse.ts';
import { resolveRun } from '../../../../src/images/dockerfile/run-step.ts';
import { findStage, splitStages } from '../../../../src/images/dockerfile/stages.ts';

const scope = { lookup: (name: string) => ({ V: '1.2' })[name], escape: '\\' };
const one = (text: string) => parseDockerfile(text).instructions[0]!;
const run = (text: string) => resolveRun(one(text), { config: {}, scope, allow: ['network.host'] });

test('COPY: sources, destination, owner, mode, another stage', () => {
  expect(
    resolveCopy(one('COPY --from=build --chown=1:2 --chmod=0755 a "b c" /dst-$V/'), scope),
  ).toMatchObject({
    add: false,
    from: 'build',
    chown: '1:2',
    chmod: 0o755,
    sources: ['a', 'b c'],
    destination: '/dst-1.2/',
  });
  expect(resolveCopy(one('COPY ["a b", "/c"]'), scope)).toMatchObject({
    sources: ['a b'],
    destination: '/c',
  });
});

test('COPY: here-documents are files, expanded unless their name is quoted', () => {
  expect(resolveCopy(one('COPY <<a <<"b" /x/\n$V\na\n$V\nb'), scope).inline).toEqual([
    { name: 'a', content: '1.2\n' },
    { name: 'b', content: '$V\n' },
  ]);
});

test.for(['COPY a', 'COPY a b c', 'COPY --nonsense a b', 'COPY --chmod=rwx a b', 'ADD --from=x a b'])(
  '%s is refused',
  (text) => {
    expect(() => resolveCopy(one(text), scope)).toThrow(/^Dockerfile:1: /);
  },
);

test('RUN: exec form, shell form, a script, a command that is fed', () => {
  expect(run('RUN ["a", "$V"]').argv).toEqual(['a', '$V']);
  expect(run('RUN a $V').argv).toEqual(['/bin/sh', '-c', 'a $V']);
  expect(run('RUN <<EOF\na\nb\nEOF').argv).toEqual(['/bin/sh', '-c', 'a\nb\n']);
  expect(run('RUN <<EOF bash\na\nEOF').argv).toEqual(['/bin/sh', '-c', '<<EOF bash\na\nEOF']);
  expect(run('RUN <<"EOF"\n#!/usr/bin/perl\nEOF')).toMatchObject({
    argv: ['/dev/pipes/EOF'],
    script: { content: '#!/usr/bin/perl\n' },
  });
});

test('RUN: mounts of every type', () => {
  const flags = [
    '--mount=type=cache,target=/c,id=x,sharing=locked,mode=0700,uid=5',
    '--mount=from=s,source=/a,target=/b,rw',
    '--mount=type=tmpfs,target=/t,size=1m',
    '--mount=type=secret,id=k',
  ];
  expect(run(`RUN ${flags.join(' ')} true`).mounts).toEqual([
    {
      type: 'cache',
      target: '/c',
      id: 'x',
      sharing: 'locked',
      readOnly: false,
      mode: 0o700,
      uid: 5,
      gid: 0,
    },
    { type: 'bind', target: '/b', from: 's', source: '/a', readOnly: false },
    { type: 'tmpfs', target: '/t', size: 1 << 20 },
    {
      type: 'secret',
      id: 'k',
      target: undefined,
      env: undefined,
      required: false,
      mode: 0o400,
      uid: 0,
      gid: 0,
    },
  ]);
});

test.for([
  '--mount=type=ssh,target=/a',
  '--mount=type=cache',
  '--mount=target=/a,odd=1',
  '--security=insecure',
  '--network=x',
])('RUN %s is refused', (flag) => {
  expect(() => run(`RUN ${flag} true`)).toThrow(/^Dockerfile:1: /);
});

test('stages: by name whatever its case, by number, never a later one', () => {
  const { globals, stages } = splitStages(
    parseDockerfile('ARG V\nFROM a AS One\nRUN x\nFROM --platform=linux/arm64 b\nFROM one'),
  );
  expect(globals).toHaveLength(1);
  expect(stages.map(({ name, base, platform, steps }) => [name, base, platform, steps.length])).toEqual([
    ['one', 'a', undefined, 1],
    [undefined, 'b', 'linux/arm64', 0],
    [undefined, 'one', undefined, 0],
  ]);
  expect(findStage(stages, { name: 'ONE', before: 2 })?.index).toBe(0);
  expect(findStage(stages, { name: '1', before: 2 })?.index).toBe(1);
  expect(findStage(stages, { name: 'one', before: 0 })).toBeUndefined();
  expect(findStage(stages, { name: '2', before: 2 })).toBeUndefined();
});

test.for(['RUN a', 'ENV A=1\nFROM b', 'FROM a b', 'FROM a AS -x', 'FROM --odd=1 a'])(
  '%j is refused',
  (text) => {
    expect(() => splitStages(parseDockerfile(text))).toThrow(/^Dockerfile:1: /);
  },
);
