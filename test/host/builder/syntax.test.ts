import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { BASE, BuildContext, outputOf } from '../../fixtures/building.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

const ARCH = { x64: 'amd64', arm64: 'arm64' }[process.arch as string]!;

requires('root', 'mmdebstrap')('what a Dockerfile may say', () => {
  let context: BuildContext;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = new BuildContext();
  });
  afterEach(() => context[Symbol.dispose]());

  const build: BuildContext['build'] = (...given) => context.build(given[0], given[1]);
  const configOf = async (...lines: string[]) => (await build(lines)).config;

  test('directives: syntax is a comment, escape changes the escape character', async () => {
    const image = await build([
      '# syntax=docker/dockerfile:1',
      '# escape=`',
      `FROM ${BASE}`,
      'RUN echo "C:\\data" > /a && `',
      '    echo $HOME > /b',
      'LABEL x="a`"b"',
    ]);
    expect(await outputOf(image, 'cat /a; cat /b')).toBe('C:\\data\n/root\n');
    expect(image.config.Labels).toEqual({ x: 'a"b' });
  });

  test('continuation lines go on over comments and empty lines', async () => {
    const image = await build([
      `FROM ${BASE}`,
      'RUN echo one \\',
      '# a comment',
      '',
      '  two \\',
      '  # another',
      '  three > /x',
    ]);
    expect(await outputOf(image, 'cat /x')).toBe('one two three\n');
  });

  test('ARGs: before FROM for FROM alone, again in a stage, scoped to it, overridden by the environment', async () => {
    const image = await build(
      [
        'ARG BASE=nowhere',
        'ARG TAG=fallback',
        'ARG GLOBAL=global',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile
        'FROM ${BASE} AS first',
        'ARG ONLY=first',
        'RUN echo "[$GLOBAL][$ONLY]" > /first',
        'FROM first',
        'ARG GLOBAL',
        'ARG TAG=own',
        'ARG NAME',
        'ENV NAME=env',
        'RUN echo "[$GLOBAL][$TAG][$ONLY][$NAME]" > /second',
      ],
      { args: { BASE, NAME: 'arg', UNUSED: 'x' } },
    );
    expect(await outputOf(image, 'cat /first /second')).toBe('[][first]\n[global][own][][env]\n');
  });

  test('ARGs of the platform, and FROM --platform=$BUILDPLATFORM', async () => {
    const image = await build([
      'ARG TARGETARCH',
      `FROM --platform=$BUILDPLATFORM ${BASE} AS on-$TARGETARCH`.replace(`on-$TARGETARCH`, 'here'),
      'FROM here',
      'ARG TARGETPLATFORM',
      'ARG TARGETOS',
      'ARG TARGETARCH',
      'ARG BUILDPLATFORM',
      'ARG BUILDARCH',
      'RUN echo "$TARGETPLATFORM $TARGETOS $TARGETARCH $BUILDPLATFORM $BUILDARCH [$TARGETVARIANT]" > /p',
    ]);
    expect(await outputOf(image, 'cat /p')).toBe(`linux/${ARCH} linux ${ARCH} linux/${ARCH} ${ARCH} []\n`);
    await expect(build([`FROM --platform=linux/s390x ${BASE}`])).rejects.toMatchObject({
      code: 'build.unsupported',
      line: 1,
    });
    await expect(build([`FROM --platform=much/too/many/parts ${BASE}`])).rejects.toMatchObject({
      code: 'build.syntax',
      line: 1,
    });
  });

  test('proxies are in RUN without being declared, and neither in the image nor in what a step is remembered by', async () => {
    const lines = [`FROM ${BASE}`, 'RUN echo "$HTTP_PROXY $no_proxy" >> /dev/null; date +%N > /stamp'];
    const proxied = (value: string) => context.watch(lines, { args: { HTTP_PROXY: value, no_proxy: 'b' } });
    const first = await proxied(`http://${process.pid}.test`);
    const second = await proxied('http://another.test');
    expect(second.image.id).toBe(first.image.id);
    expect(JSON.stringify(first.image.config)).not.toContain('.test');
    const told = await context.watch([`FROM ${BASE}`, 'RUN echo "<$HTTP_PROXY $no_proxy>"'], {
      args: { HTTP_PROXY: 'http://a.test', no_proxy: 'b' },
      noCache: true,
    });
    expect(told.events).toContainEqual(expect.objectContaining({ text: '<http://a.test b>' }));
  });

  test('ENV, in all forms of expansion', async () => {
    const { Env } = await configOf(
      `FROM ${BASE}`,
      'ENV A=1 B="two words" C=three\\ words',
      'ENV OLD the rest of the line',
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of the Dockerfile
      "ENV D=$A-${B} E=${NONE:-fallback} F=${A:+set} G=\\$A H='$A'",
      'ENV P=/a/b/c.tar.gz',
      'ENV Q=${P##*/} R=${P#*/} S=${P%.*} T=${P%%.*} U=${P/a/x} V=${P//a/x}',
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: variables of the Dockerfile
      'ENV A=2 W=$A',
    );
    expect(Object.fromEntries(Env!.map((entry) => entry.split(/=(.*)/s).slice(0, 2)))).toEqual({
      A: '2',
      B: 'two words',
      C: 'three words',
      OLD: 'the rest of the line',
      D: '1-two words',
      E: 'fallback',
      F: 'set',
      G: '$A',
      H: '$A',
      P: '/a/b/c.tar.gz',
      Q: 'c.tar.gz',
      R: 'a/b/c.tar.gz',
      S: '/a/b/c.tar',
      T: '/a/b/c',
      U: '/x/b/c.tar.gz',
      V: '/x/b/c.txr.gz',
      // All of one instruction are expanded by what was before it.
      W: '1',
    });
  });

  test('what only changes the configuration', async () => {
    const config = await configOf(
      `FROM ${BASE}`,
      'EXPOSE 80 53/udp 9000-9001/TCP',
      'VOLUME /data "/with space"',
      'VOLUME ["/list"]',
      'LABEL a=b "c d"="e=f"',
      'SHELL ["/bin/sh", "-ec"]',
      'CMD echo hello',
      'ENTRYPOINT ["/bin/echo"]',
      'STOPSIGNAL SIGINT',
      'HEALTHCHECK --interval=5s --timeout=1m --retries=4 --start-period=0s CMD ["true"]',
      'USER nobody',
      'WORKDIR /srv',
      'WORKDIR sub/../app',
      'MAINTAINER somebody',
    );
    expect(config).toMatchObject({
      ExposedPorts: { '80/tcp': {}, '53/udp': {}, '9000/tcp': {}, '9001/tcp': {} },
      Volumes: { '/data': {}, '/with space': {}, '/list': {} },
      Labels: { a: 'b', 'c d': 'e=f' },
      Shell: ['/bin/sh', '-ec'],
      // One of its own before the ENTRYPOINT stays.
      Cmd: ['/bin/sh', '-ec', 'echo hello'],
      Entrypoint: ['/bin/echo'],
      StopSignal: 'SIGINT',
      Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9, Timeout: 6e10, Retries: 4 },
      User: 'nobody',
      WorkingDir: '/srv/app',
    });
  });

  test('an ENTRYPOINT puts the CMD of the image below out of force, but not one of its own stage', async () => {
    await build([`FROM ${BASE}`, 'CMD ["below"]'], { tag: 'test/cmd:1' });
    expect((await configOf('FROM test/cmd:1', 'ENTRYPOINT ["e"]')).Cmd).toBeUndefined();
    expect((await configOf('FROM test/cmd:1', 'CMD ["own"]', 'ENTRYPOINT ["e"]')).Cmd).toEqual(['own']);
    expect((await configOf('FROM test/cmd:1', 'HEALTHCHECK NONE')).Healthcheck).toEqual({ Test: ['NONE'] });
  });

  test('WORKDIR makes its directory, also where a layer has it and a later one has removed it', async () => {
    const image = await build([
      `FROM ${BASE}`,
      'WORKDIR /made/here',
      'WORKDIR /',
      'RUN rmdir /made/here',
      'WORKDIR /made/here',
      'COPY Dockerfile .',
    ]);
    expect(await outputOf(image, 'ls /made/here; stat -c %a:%u /made/here')).toBe('Dockerfile\n755:0\n');
    const [, again] = [1, 2].map(() =>
      context.watch([`FROM ${BASE}`, 'RUN mkdir -p /w/x && rm -r /w', 'WORKDIR /w/x']),
    );
    expect(await outputOf((await again!).image, 'test -d /w/x && echo there')).toBe('there\n');
  });

  test('ONBUILD triggers run first in the child, in order, with its context and arguments, and not in the grandchild', async () => {
    await build(
      [
        `FROM ${BASE}`,
        'ONBUILD ARG WHO=nobody',
        'ONBUILD COPY --chown=5:6 --chmod=640 given /given',
        'ONBUILD RUN echo "for $WHO" > /who',
        'ONBUILD ENV TRIGGERED=1',
        'ONBUILD LABEL a="b c"',
      ],
      { tag: 'test/triggers:1' },
    );
    context.put({ given: 'from the child' });
    const image = await build(['FROM test/triggers:1', 'RUN cat /who > /after'], {
      args: { WHO: 'ada' },
      tag: 'test/child:1',
    });
    expect(await outputOf(image, 'cat /after /given; stat -c %u:%g:%a /given')).toBe(
      'for ada\nfrom the child5:6:640\n',
    );
    expect(image.config).toMatchObject({ Labels: { a: 'b c' }, Env: ['TRIGGERED=1'] });
    expect(image.config.OnBuild).toBeUndefined();
    const { events } = await context.watch(['FROM test/child:1', 'ENV X=1']);
    expect(events.filter(({ kind }) => kind === 'begin')).toHaveLength(2);
    for (const bad of [
      'ONBUILD FROM scratch',
      'ONBUILD ONBUILD ENV A=1',
      'ONBUILD MAINTAINER x',
      'ONBUILD NO x',
    ])
      await expect(build([`FROM ${BASE}`, bad])).rejects.toMatchObject({ line: 2 });
  });

  test('a trigger that fails names itself', async () => {
    await build([`FROM ${BASE}`, 'ONBUILD RUN exit 4'], { tag: 'test/failing-trigger:1' });
    await expect(build(['FROM test/failing-trigger:1'])).rejects.toThrow(
      /ONBUILD:1: RUN ended with code 4\n.*RUN exit 4/,
    );
  });

  test('an unknown flag is an error at its line, whatever the instruction', async () => {
    const instructions = [
      'RUN --nope true',
      'RUN --nope=1 true',
      'RUN --security=insecure true',
      'RUN --mount=type=ssh true',
      'RUN --mount=type=cache,target=/x,nope=1 true',
      'RUN --network=odd true',
      'COPY --nope Dockerfile /x',
      'COPY --checksum=sha256:00 Dockerfile /x',
      'COPY --link=odd Dockerfile /x',
      'ADD --nope=1 Dockerfile /x',
      'ADD --from=0 Dockerfile /x',
      'HEALTHCHECK --nope=1 CMD true',
      'HEALTHCHECK --interval=soon CMD true',
      'HEALTHCHECK --retries=many CMD true',
      'NOPE x',
    ];
    for (const instruction of instructions) {
      const building = build([`FROM ${BASE}`, '', instruction]);
      await expect(building, instruction).rejects.toMatchObject({ line: 3, name: 'DockerfileError' });
      await expect(building, instruction).rejects.toThrow(`  3 | ${instruction}`);
    }
    await expect(build([`FROM --nope=1 ${BASE}`])).rejects.toMatchObject({ line: 1 });
  });

  test('everything about FROM', async () => {
    for (const bad of ['FROM', `FROM ${BASE} AS 1st`, `FROM ${BASE} IS x`, 'FROM $NONE', 'FROM Bad//Name'])
      await expect(build([bad]), bad).rejects.toMatchObject({ line: 1 });
    await expect(build(['RUN true'])).rejects.toMatchObject({ code: 'build.syntax', line: 1 });
    await expect(build(['FROM test/no-such-image@sha256:00'])).rejects.toMatchObject({ line: 1 });
  });
});
