import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BuildOptions, historyOf, type Image } from '../../../src/index.ts';
import { BASE, BuildContext, outputOf } from '../../fixtures/building.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('RUN', () => {
  let context: BuildContext;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = new BuildContext();
  });
  afterEach(() => context[Symbol.dispose]());

  const build = (lines: readonly string[], options: Partial<BuildOptions> = {}): Promise<Image> =>
    context.build([`FROM ${BASE}`, ...lines], options);
  const said = async (lines: readonly string[], options: Partial<BuildOptions> = {}) => {
    const { events } = await context.watch([`FROM ${BASE}`, ...lines], { noCache: true, ...options });
    return events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
  };

  test('shell form, exec form, another shell, quotes and variables of the shell', async () => {
    expect(
      await said([
        'ENV A=env',
        'RUN echo "$A  \'x\'" && for i in 1 2; do echo $i; done',
        'RUN ["echo", "$A", "a b"]',
        'SHELL ["/bin/bash", "-uc"]',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
        'RUN x=(1 2); echo ${#x[@]}',
      ]),
    ).toEqual(["env  'x'", '1', '2', '$A a b', '2']);
  });

  test('here-documents: scripts, with an interpreter of their own, fed to a command, with quotes and tabs', async () => {
    expect(
      await said([
        'ENV A=env',
        'RUN <<EOF',
        'echo one "$A"',
        'false || echo two',
        'EOF',
        'RUN <<"EOF"',
        '#!/usr/bin/perl',
        'print "perl $0\\n";',
        'EOF',
        'RUN <<-EOF cat > /x && sed "s/^/> /" /x',
        '\tfed $A',
        '\tEOF',
        'RUN cat <<A - <<"B"',
        'a $A',
        'A',
        'b $A',
        'B',
        // Not a here-document for the builder: arithmetic of the shell.
        'RUN echo $((1 << 2))',
      ]),
    ).toEqual(['one env', 'two', 'perl /dev/pipes/EOF', '> fed env', 'b $A', '4']);
  });

  test('USER, WORKDIR and ARG count; VOLUMEs keep what is written; an image of before knows nothing of them', async () => {
    const image = await build([
      'ARG NUMBER=7',
      'VOLUME /data',
      'RUN mkdir /data && echo kept > /data/x',
      'USER nobody:daemon',
      'WORKDIR /tmp/w',
      'USER 33',
      'RUN echo "$(id -u):$(id -g) $PWD $HOME $NUMBER" > /tmp/out',
    ]);
    expect(await outputOf(image, 'cat /tmp/out /data/x')).toBe('33:33 /tmp/w /var/www 7\nkept\n');
    expect(image.config.Env).toBeUndefined();
  });

  test('files are made for others to read and not to write, whatever our own umask is', async () => {
    const before = process.umask(0);
    try {
      expect(await said(['RUN umask && touch /f && mkdir /d && stat -c %a /f /d'])).toEqual([
        '0022',
        '644',
        '755',
      ]);
    } finally {
      process.umask(before);
    }
  });

  test('--network=none has a loopback alone, host has to be allowed', async () => {
    const devices = 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " " | sort';
    expect(await said([`RUN --network=none ${devices}`])).toEqual(['lo']);
    expect((await said([`RUN ${devices}`])).length).toBe(2);
    const host = [`RUN --network=host readlink /proc/self/ns/net`];
    await expect(build(host)).rejects.toMatchObject({ code: 'build.not-allowed', line: 2 });
    expect(await said(host, { allow: ['network.host'] })).toHaveLength(1);
    await expect(build(host, { allow: ['odd' as never] })).rejects.toMatchObject({ code: 'option.invalid' });
  });

  test('cache mounts: kept, shared by id, private and locked ones, owners, read-only; none is part of a layer', async () => {
    const id = randomUUID();
    const mount = `--mount=type=cache,id=${id},target`;
    await said([`RUN ${mount}=/c echo 1 >> /c/f`]);
    expect(await said(['WORKDIR /w', `RUN ${mount}=c echo 2 >> /w/c/f && cat c/f`])).toEqual(['1', '2']);
    expect(await said([`RUN ${mount}=/c,sharing=private echo "$(ls /c)"`])).toEqual(['f']);
    expect(
      await said([`RUN ${mount}=/c,sharing=locked,ro cat /c/f; touch /c/x 2>/dev/null || echo refused`]),
    ).toEqual(['1', '2', 'refused']);
    expect(
      await said([`RUN --mount=type=cache,id=${id}-2,target=/c,uid=33,gid=34,mode=0750 stat -c %u:%g:%a /c`]),
    ).toEqual(['33:34:750']);
    const image = await build([`RUN ${mount}=/c echo ${id} > /c/g; echo out > /out`]);
    expect(await outputOf(image, 'cat /out; ls /c 2>&1 || true')).not.toContain('g');
  });

  test('bind mounts: the context, a stage, an image; writes are seen by the command alone', async () => {
    context.put({ 'in/f': 'context' });
    const lines = [
      `FROM ${BASE} AS stage`,
      'RUN mkdir /s && echo stage > /s/f',
      `FROM ${BASE}`,
      'RUN --mount=target=/ctx cat /ctx/in/f && ! touch /ctx/x 2>/dev/null',
      'RUN --mount=type=bind,source=in,target=/ctx,rw echo more >> /ctx/f && tail -c 5 /ctx/f',
      'RUN --mount=type=bind,from=stage,source=/s,target=/s cat /s/f',
      `RUN --mount=type=bind,from=${BASE},source=/etc/hostname,target=/h test -f /h`,
    ];
    const { image, events } = await context.watch(lines, { noCache: true });
    expect(events.flatMap((event) => (event.kind === 'output' ? [event.text] : []))).toEqual([
      'context',
      'more',
      'stage',
    ]);
    expect(await outputOf(image, 'ls -A /ctx /s 2>/dev/null || true')).not.toContain('f\n');
    await expect(build(['RUN --mount=source=none,target=/x true'])).rejects.toMatchObject({
      code: 'build.no-such-source',
      line: 2,
    });
  });

  test('tmpfs and secrets: as files and variables, with owners and modes, required or not', async () => {
    expect(
      await said(
        [
          'RUN --mount=type=tmpfs,target=/t,size=1m df -k --output=fstype,size /t | tail -1',
          'RUN --mount=type=secret,id=key stat -c %u:%g:%a /run/secrets/key && cat /run/secrets/key',
          'RUN --mount=type=secret,id=key,target=/k,uid=33,gid=34,mode=0440 stat -c %u:%g:%a /k',
          'RUN --mount=type=secret,id=key,env=KEY echo "$KEY"; test ! -e /run/secrets/key',
          'RUN --mount=type=secret,id=other test ! -e /run/secrets/other',
        ],
        { secrets: { key: 'the secret' } },
      ),
    ).toEqual(['tmpfs      1024', '0:0:400', 'the secret', '33:34:440', 'the secret']);
    await expect(build(['RUN --mount=type=secret,id=other,required=true true'])).rejects.toMatchObject({
      code: 'build.missing-value',
      line: 2,
    });
    for (const bad of [
      'type=secret',
      'type=cache',
      'type=odd,target=/x',
      'type=secret,id=a,uid=x',
      'type=cache,target=/x,mode=9',
      'type=cache,target=/x,sharing=odd',
    ])
      await expect(build([`RUN --mount=${bad} true`]), bad).rejects.toMatchObject({ line: 2 });
  });

  test('a failure names its line, also in a long instruction; shows the last lines and the code; a signal, a missing program', async () => {
    const failing = build([
      '',
      'RUN for i in $(seq 30); do echo "line $i"; done && \\',
      '    echo err >&2 && \\',
      '    exit 7',
    ]);
    await expect(failing).rejects.toMatchObject({ code: 'build.step-failed', line: 3, file: 'Dockerfile' });
    await expect(failing).rejects.toThrow('RUN ended with code 7');
    await expect(failing).rejects.toThrow(/line 30\n {4}err\n/);
    await expect(failing).rejects.not.toThrow('line 5\n');
    await expect(build(['RUN kill -9 $$'])).rejects.toThrow('RUN ended with code 137');
    await expect(build(['RUN ["/no/such/program"]'])).rejects.toMatchObject({ line: 2 });
    await expect(build(['RUN /no/such/program'])).rejects.toThrow('RUN ended with code 127');
    await expect(build(['USER no-such-user', 'RUN true'])).rejects.toMatchObject({ line: 3 });
  });

  test('noCache makes steps again, and later builds take what it made', async () => {
    const lines = [`RUN echo ${randomUUID()} $(date +%N) > /stamp`];
    const stamp = async (options = {}) => outputOf(await build(lines, options), 'cat /stamp');
    const first = await stamp();
    expect(await stamp()).toBe(first);
    const second = await stamp({ noCache: true });
    expect(second).not.toBe(first);
    expect(await stamp()).toBe(second);
  });

  test('independent stages run at the same time', async () => {
    // Each waits for the other, by a cache that both share.
    const id = randomUUID();
    const meet = (own: string, other: string) =>
      `RUN --mount=type=cache,id=${id},target=/c touch /c/${own} && for i in $(seq 600); do test -e /c/${other} && exit 0; sleep 0.1; done; exit 1`;
    await context.build([
      `FROM ${BASE} AS a`,
      meet('a', 'b'),
      `FROM ${BASE} AS b`,
      meet('b', 'a'),
      'FROM scratch',
      'COPY --from=a /etc/hostname /a',
      'COPY --from=b /etc/hostname /b',
    ]);
  });

  test('the history of the image is the whole story, that of its base included', async () => {
    const base = await build(['ENV A=1', 'RUN true'], { tag: 'test/history:1' });
    expect((await historyOf(base.id)).length).toBe(3);
    const image = await context.build(
      ['FROM test/history:1', 'COPY --chown=1:2 Dockerfile /x', 'LABEL a=b'],
      { tag: ['test/history:2', 'test/history:3'] },
    );
    expect(image.references).toHaveLength(2);
    expect((await historyOf(image.id)).map((step) => step.created_by)).toEqual([
      'FROM',
      'ENV A=1',
      'RUN true',
      'COPY --chown=1:2 Dockerfile /x',
      'LABEL a=b',
    ]);
  });
});
