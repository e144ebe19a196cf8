import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { historyOf, startContainer } from '../../../src/index.ts';
import { BASE, BuildContext, outputOf } from '../../fixtures/building.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { VictimDirectory } from '../../fixtures/victim-directory.ts';
import { requires } from '../../requires.ts';

/** Dockerfiles, contexts and commands that want more than they are given. Numbers are the CVEs of other builders. */
requires('root', 'mmdebstrap')('steps of a hostile build', () => {
  let context: BuildContext;
  /** A directory of the host's with a secret in it, which stays as it is. */
  let directory: VictimDirectory;
  let victim: string;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = new BuildContext();
    directory = new VictimDirectory();
    victim = directory.path;
  });
  afterEach(() => {
    context[Symbol.dispose]();
    directory[Symbol.dispose]();
  });

  const build: BuildContext['build'] = (lines, options) => context.build([`FROM ${BASE}`, ...lines], options);
  const said = async (lines: readonly string[], options = {}) => {
    const { events } = await context.watch(lines, { noCache: true, ...options });
    return events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
  };

  test('RUN --mount: ids, sources and options reach nothing of the host (CVE-2024-23651, -9407, -9675, -11218)', async () => {
    for (const id of ['..', '../../../x', '/etc', 'a/b', '%2e%2e', 'x'.repeat(300)])
      expect(
        await said([`FROM ${BASE}`, `RUN --mount=type=cache,id=${id},target=/c touch /c/planted; ls /c`]),
      ).toEqual(['planted']);
    for (const options of [
      'type=cache,target=/c,source=../../etc',
      'type=cache,target=/c,from=other',
      'type=bind,target=/c,bind-propagation=shared',
      'type=bind,target=/c,propagation=rshared',
      'type=tmpfs,target=/c,source=/etc',
    ])
      await expect(build([`RUN --mount=${options} true`]), options).rejects.toMatchObject({
        code: 'build.unsupported',
        line: 2,
      });
    for (const target of ['/proc/sys', '/', '/proc/self/fd'])
      await expect(build([`RUN --mount=type=tmpfs,target=${target} true`]), target).rejects.toMatchObject({
        line: 2,
      });
    // A target through links of the image: those that lead somewhere in it, and those that do not.
    const links = `RUN ln -s ${victim} /out && ln -s / /root-link && ln -s ../../../../../../opt /opt-link`;
    const mounts = '--mount=type=cache,target=/opt-link/c,id=links --mount=type=tmpfs,target=/root-link/t';
    const image = await build([links, `RUN ${mounts} touch /opt/c/x && df /t`]);
    expect(await outputOf(image, 'ls -A /opt; ls -d /t 2>/dev/null || true')).toBe('');
    const building = build([links, 'RUN --mount=type=cache,target=/out/c true']);
    await expect(building).rejects.toMatchObject({ line: 3 });
  });

  test('a cache that two RUNs share: a link that one flips in it shows the other nothing of the host', async () => {
    const flip = `RUN --mount=type=cache,id=flip,target=/c rm -rf /c/*; for i in $(seq 300); do ln -sfn ${victim} /c/sel; rm /c/sel; mkdir /c/sel; rmdir /c/sel; done`;
    const look =
      'RUN --mount=type=cache,id=flip,target=/c for i in $(seq 300); do cat /c/sel/f 2>/dev/null; done; true';
    expect(
      await said([
        `FROM ${BASE} AS a`,
        flip,
        `FROM ${BASE} AS b`,
        look,
        'FROM scratch',
        'COPY --from=a /etc/hostname /a',
        'COPY --from=b /etc/hostname /b',
      ]),
    ).toEqual([]);
  });

  test('binds are copies: what a RUN writes there is in no context and in no stage (CVE-2025-4953)', async () => {
    context.put({ 'src/f': 'original' });
    await said([
      `FROM ${BASE}`,
      'RUN --mount=type=bind,rw,source=src,target=/src echo changed > /src/f; echo > /src/new',
    ]);
    expect(readFileSync(join(context.path, 'src/f'), 'utf8')).toBe('original');
    expect(readdirSync(join(context.path, 'src'))).toEqual(['f']);
  });

  test('RUN has no more rights than a container, ONBUILD included; no more is to be had (CVE-2024-23653)', async () => {
    const facts =
      'grep -E "^(Cap|Seccomp:|NoNewPrivs)" /proc/self/status; wc -l < /proc/self/mountinfo; ls /dev | wc -l';
    await using box = await startContainer({ image: BASE, command: ['sleep', '1000'], stopTimeout: 0 });
    const expected = (await box.exec(['sh', '-c', facts])).stdout.trim().split('\n');
    expect(await said([`FROM ${BASE}`, `RUN ${facts}`])).toEqual(expected);
    await context.build([`FROM ${BASE}`, `ONBUILD RUN ${facts}`], { tag: 'test/posture:1' });
    expect(await said(['FROM test/posture:1'])).toEqual(expected);
    await expect(build(['RUN --security=insecure true'])).rejects.toMatchObject({
      code: 'build.unsupported',
    });
  });

  test('secrets, arguments and credentials are in no layer, history, cache or file of the home', async () => {
    const marks = {
      secret: 'mark-of-a-secret-9d1',
      arg: 'mark-of-an-arg-4f7',
      password: 'mark-of-a-password-c03',
    };
    const answer: RequestListener = (request, response) =>
      response.writeHead(request.headers.authorization === undefined ? 401 : 200).end('content');
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://user:${marks.password}@127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { image, events } = await context.watch(
        [
          `FROM ${BASE}`,
          'ARG TOKEN',
          `ADD ${url}/f /f`,
          'RUN --mount=type=secret,id=s --mount=type=secret,id=e,env=E test -n "$TOKEN" && test -n "$E" && wc -c /run/secrets/s',
        ],
        { noCache: true, args: { TOKEN: marks.arg }, secrets: { s: marks.secret, e: marks.secret } },
      );
      const told = JSON.stringify([events, await historyOf(image.id)]);
      for (const mark of Object.values(marks)) expect(told).not.toContain(mark);
      expect(told).toContain('ADD http://xxxxx@127.0.0.1');
      await expect(
        build([`ADD ${url.replace(marks.password, `${marks.password}%`)}/f /f`]),
      ).rejects.not.toThrow(marks.password);
      const patterns = Object.values(marks).flatMap((mark) => ['-e', mark]);
      const { exitCode, stdout } = await execa('grep', ['-rlF', ...patterns, TEST_HOME], { reject: false });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    } finally {
      server.close();
    }
  });

  test('a server cannot send ADD to files of the host, nor for ever in a circle', async () => {
    const targets: Record<string, string> = {
      '/file': `file://${victim}/f`,
      '/data': 'data:,x',
      '/circle': '/circle',
    };
    const server = createServer((request, response) => {
      response.writeHead(302, { location: targets[request.url!]! }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      for (const path of Object.keys(targets))
        await expect(build([`ADD http://127.0.0.1:${port}${path} /x`]), path).rejects.toMatchObject({
          code: 'build.fetch-failed',
        });
      await expect(build([`ADD file://${victim}/f /x`])).rejects.toMatchObject({
        code: 'build.no-such-source',
      });
    } finally {
      server.close();
    }
  });

  test('whatever an instruction changes, the image is another one', async () => {
    const lines = [
      'ENV A=1',
      'LABEL a=1',
      'EXPOSE 1',
      'VOLUME /a',
      'CMD ["a"]',
      'ENTRYPOINT ["a"]',
      'STOPSIGNAL 1',
      'USER 1',
      'WORKDIR /a',
      'SHELL ["a"]',
      'HEALTHCHECK CMD a',
      'ONBUILD ENV A=1',
    ];
    const ids = new Set([(await build(lines)).id]);
    for (const at of lines.keys())
      ids.add((await build(lines.with(at, lines[at]!.replace(/1|a(?!.*a)/, '2')))).id);
    expect(ids.size).toBe(lines.length + 1);
    const stamp = 'RUN date +%N > /stamp; echo $A > /a';
    const run = async (...before: string[]) => (await build([...before, stamp])).layers.at(-1)!.diffId;
    const layers = [
      await run(),
      await run('ENV A=1'),
      await run('ARG A=2'),
      await run('USER 1', 'USER 0'),
      await run('WORKDIR /tmp'),
      await run('SHELL ["/bin/bash", "-c"]'),
    ];
    expect(new Set(layers).size).toBe(layers.length);
  });
});
