import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type BuildEvent,
  type BuildOptions,
  buildImage,
  type Image,
  startContainer,
} from '../../../src/index.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const BASE = 'test/debian:bookworm';

requires('root', 'mmdebstrap')('buildImage', () => {
  let context: string;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = mkdtempSync(join(tmpdir(), 'mayfly-build-'));
  });
  afterEach(() => rmSync(context, { recursive: true }));

  function put(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(context, name)), { recursive: true });
      writeFileSync(join(context, name), content);
    }
  }

  function build(dockerfile: string, options: Partial<BuildOptions> = {}): Promise<Image> {
    put({ Dockerfile: dockerfile });
    return buildImage({ context, ...options });
  }

  /** What a command prints in a container of the image. */
  async function output(image: Image, ...command: string[]): Promise<string> {
    await using box = await startContainer({ image, entrypoint: ['sleep', '1000'], stopTimeout: 0 });
    const { stdout, stderr, exitCode } = await box.exec(command);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    return stdout;
  }

  test('runs commands, copies files, and sets what the image does by default', async () => {
    put({ 'app/main.sh': '#!/bin/sh\necho "$GREETING $(cat /data)"\n', 'app/sub/x': 'x' });
    const image = await build(
      [
        `FROM ${BASE}`,
        'ARG WHO=world',
        'ENV GREETING="hello $WHO"',
        'WORKDIR /srv/app',
        'COPY --chmod=755 app/main.sh .',
        'COPY app /all/',
        'RUN echo "made by $(id -u) for $WHO in $PWD" > /data',
        'EXPOSE 80',
        'USER 1000:1000',
        'ENTRYPOINT ["/srv/app/main.sh"]',
      ].join('\n'),
      { args: { WHO: 'ada' }, labels: { a: 'b' } },
    );
    expect(image.config).toMatchObject({
      User: '1000:1000',
      WorkingDir: '/srv/app',
      ExposedPorts: { '80/tcp': {} },
      Labels: { a: 'b' },
    });
    expect(
      await output(image, 'sh', '-c', './main.sh; find /all -type f | sort; stat -c "%U %a" main.sh'),
    ).toBe('hello ada made by 0 for ada in /srv/app\n/all/main.sh\n/all/sub/x\nroot 755\n');
  });

  test('a second build takes every step from the cache; a changed file only what comes after it', async () => {
    // Of this run alone: the cache outlives it.
    const once = randomUUID();
    put({ a: once, b: '1' });
    const dockerfile = `FROM ${BASE}\nCOPY a /a\nRUN date +%N > /stamp\nCOPY b /b\nRUN cat /a /b > /c`;
    const cached = async () => {
      const events: BuildEvent[] = [];
      const image = await build(dockerfile, { onProgress: (event) => events.push(event) });
      const ends = events.flatMap((event) => (event.kind === 'end' ? [event.cached] : []));
      return { image, ends };
    };
    const first = await cached();
    const second = await cached();
    expect(second.ends).toEqual([true, true, true, true, true]);
    expect(second.image.id).toBe(first.image.id);
    put({ b: '2' });
    const third = await cached();
    expect(third.ends).toEqual([true, true, true, false, false]);
    expect(await output(third.image, 'cat', '/c')).toBe(`${once}2`);
    expect(await output(third.image, 'cat', '/stamp')).toBe(await output(first.image, 'cat', '/stamp'));
  });

  test('stages: those not needed are skipped, files come from others, names, numbers and images', async () => {
    const events: BuildEvent[] = [];
    const image = await build(
      [
        `FROM ${BASE} AS tools`,
        'RUN echo tool > /tool && ln -s /tool /link && mkdir /d && echo 1 > /d/1.txt && echo 2 > /d/2.txt',
        `FROM ${BASE} AS unused`,
        'RUN exit 1',
        'FROM scratch AS files',
        'COPY --from=tools --chown=5:6 /tool /t/',
        'COPY --from=0 /d/*.txt /t/d/',
        `FROM ${BASE}`,
        'COPY --from=files /t /t',
        `COPY --from=${BASE} /etc/hostname /hostname`,
      ].join('\n'),
      { onProgress: (event) => events.push(event) },
    );
    expect(await output(image, 'sh', '-c', 'cat /t/tool /t/d/1.txt /t/d/2.txt; stat -c %u:%g /t/tool')).toBe(
      'tool\n1\n2\n5:6\n',
    );
    expect(events.some(({ stage }) => stage === 'unused')).toBe(false);
  });

  test('a target stops early, and an unknown one is refused', async () => {
    const dockerfile = `FROM ${BASE} AS one\nENV A=1\nFROM one AS two\nENV A=2`;
    expect((await build(dockerfile, { target: 'ONE' })).config.Env).toContain('A=1');
    await expect(build(dockerfile, { target: 'three' })).rejects.toMatchObject({
      code: 'build.unknown-stage',
    });
  });

  test('here-documents are scripts and files', async () => {
    const image = await build(
      `FROM ${BASE}\nARG V=7\nCOPY <<one <<"two" /x/\n$V\none\n$V\ntwo\nRUN <<EOF\nset -e\necho script > /y\nEOF`,
    );
    expect(await output(image, 'cat', '/x/one', '/x/two', '/y')).toBe('7\n$V\nscript\n');
  });

  test('mounts of RUN: a cache lives on, a secret leaves no trace, binds and tmpfs are for the command only', async () => {
    put({ 'in/f': 'from the context' });
    const dockerfile = (round: number) =>
      [
        `FROM ${BASE} AS other`,
        'RUN echo from the stage > /f',
        `FROM ${BASE}`,
        'RUN --mount=type=cache,target=/cache,id=mayfly-test --mount=type=secret,id=key \\',
        '    --mount=target=/in,source=in --mount=from=other,target=/other,source=/f --mount=type=tmpfs,target=/t \\',
        `    echo ${round} >> /cache/rounds && cat /run/secrets/key | wc -c > /out && cat /in/f /other >> /out && touch /t/x && tail -1 /cache/rounds >> /out`,
      ].join('\n');
    const options = { secrets: { key: 'very secret' }, noCache: true };
    await build(dockerfile(1), options);
    const image = await build(dockerfile(2), options);
    expect(
      await output(image, 'sh', '-c', 'cat /out; ls -d /cache /t /in /run/secrets 2>/dev/null || true'),
    ).toBe('11\nfrom the contextfrom the stage\n2\n');
  });

  test('.dockerignore, patterns, links that stay links, and directories that are merged', async () => {
    put({
      '.dockerignore': '*.log\n!keep.log\nsecret',
      'a.txt': 'a',
      'b.log': 'b',
      'keep.log': 'k',
      'secret/x': 's',
    });
    symlinkSync('/etc/passwd', join(context, 'link'));
    symlinkSync('a.txt', join(context, 'near'));
    const image = await build(`FROM ${BASE}\nCOPY . /all/\nCOPY *.txt near /some/`);
    expect(await output(image, 'sh', '-c', 'cd /all; ls; readlink link; cd /some; ls; cat near')).toBe(
      'Dockerfile\na.txt\nkeep.log\nlink\nnear\n/etc/passwd\na.txt\nnear\na',
    );
  });

  test('a link in the context or the image leads nowhere outside', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'mayfly-outside-'));
    writeFileSync(join(outside, 'f'), 'outside');
    symlinkSync(outside, join(context, 'out'));
    await expect(build(`FROM ${BASE}\nCOPY out/f /f`)).rejects.toMatchObject({
      code: 'build.no-such-source',
    });
    await expect(build(`FROM ${BASE}\nCOPY ../../etc/passwd /f`)).rejects.toMatchObject({
      code: 'build.no-such-source',
    });
    await build(
      `FROM ${BASE}\nRUN mkdir -p ${outside} && ln -s ${outside} /out\nCOPY Dockerfile /out/planted`,
    );
    expect(() => rmSync(join(outside, 'planted'))).toThrow('ENOENT');
    rmSync(outside, { recursive: true });
  });

  test('ONBUILD waits for the next build', async () => {
    await build(`FROM ${BASE}\nONBUILD RUN echo triggered > /t`, { tag: 'test/onbuild:1' });
    const image = await build('FROM test/onbuild:1');
    expect(await output(image, 'cat', '/t')).toBe('triggered\n');
    expect(image.config.OnBuild).toBeUndefined();
  });

  test('what fails names the line, shows what was said, and leaves nothing', async () => {
    const failing = build(`FROM ${BASE}\n\nRUN echo before; echo no luck >&2; exit 3`);
    await expect(failing).rejects.toMatchObject({ code: 'build.step-failed', line: 3 });
    await expect(failing).rejects.toThrow(/Dockerfile:3: RUN ended with code 3\n.*no luck/s);
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('bad input is refused before anything is made', async () => {
    await expect(buildImage({ context, dockerfile: 'nope' })).rejects.toMatchObject({
      code: 'build.no-dockerfile',
    });
    await expect(buildImage({ context, odd: 1 } as never)).rejects.toMatchObject({ code: 'option.invalid' });
    await expect(build(`FROM ${BASE}`, { platform: 'linux/s390x' })).rejects.toMatchObject({
      code: 'build.unsupported',
    });
    await expect(build(`FROM ${BASE}\nENV A="\${X:?give X}"`)).rejects.toMatchObject({
      code: 'build.missing-value',
    });
  });

  test('an aborted build ends, with nothing left', async () => {
    const controller = new AbortController();
    const building = build(`FROM ${BASE}\nRUN echo begun; sleep 1000`, {
      noCache: true,
      signal: controller.signal,
      onProgress: (event) => {
        if (event.kind === 'output') controller.abort(new Error('enough'));
      },
    });
    await expect(building).rejects.toThrow('enough');
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});
