import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildImage } from '../../../src/index.ts';
import { BASE, BuildContext, outputOf } from '../../fixtures/building.ts';
import { debian } from '../../fixtures/home.ts';
import { archive, device, file, link as hardLink, symlink } from '../../fixtures/tar.ts';
import { SECRET, VictimDirectory } from '../../fixtures/victim-directory.ts';
import { requires } from '../../requires.ts';

/** Dockerfiles, contexts and commands that want more than they are given. Numbers are the CVEs of other builders. */
requires('root', 'mmdebstrap')('files of a hostile build', () => {
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
  const link = (target: string, name: string) => symlinkSync(target, join(context.path, name));
  const said = async (lines: readonly string[], options = {}) => {
    const { events } = await context.watch(lines, { noCache: true, ...options });
    return events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
  };

  test('a Dockerfile that is a link out of the context, a path out of it, a pipe or a directory is not read', async () => {
    writeFileSync(join(victim, 'f'), SECRET);
    for (const target of [join(victim, 'f'), '../../../etc/passwd', '/etc/passwd']) {
      link(target, 'Dockerfile');
      const building = buildImage({ context: context.path });
      await expect(building, target).rejects.toMatchObject({ code: 'build.no-dockerfile' });
      await expect(building, target).rejects.not.toThrow(SECRET);
      rmSync(join(context.path, 'Dockerfile'));
    }
    for (const dockerfile of ['../Dockerfile', '../../etc/passwd', 'sub/../../x'])
      await expect(buildImage({ context: context.path, dockerfile })).rejects.toMatchObject({
        code: 'build.outside-context',
      });
    await execa('mkfifo', [join(context.path, 'pipe')]);
    mkdirSync(join(context.path, 'directory'));
    for (const dockerfile of ['pipe', 'directory'])
      await expect(buildImage({ context: context.path, dockerfile })).rejects.toMatchObject({
        code: 'build.no-dockerfile',
      });
    context.put({ real: `FROM ${BASE}` });
    link('real', 'Dockerfile');
    await buildImage({ context: context.path });
  });

  test('.dockerignore: a link out, patterns that point out, and ones that take for ever', async () => {
    link(join(victim, 'f'), '.dockerignore');
    context.put({ [SECRET]: 'kept' });
    expect(await outputOf(await build(['COPY . /d/']), 'ls /d')).toContain(SECRET);
    rmSync(join(context.path, '.dockerignore'));
    context.put({ '.dockerignore': '../../*\n!../x\n/../\n!/etc/passwd\nDockerfile' });
    expect(await outputOf(await build(['COPY . /d/']), 'ls /d')).toBe(`${SECRET}\n`);
    context.put({ '.dockerignore': '[' });
    await expect(build(['COPY . /d/'])).rejects.toMatchObject({ code: 'build.bad-pattern' });
    const long = `${'*a'.repeat(60)}b`;
    context.put({ '.dockerignore': long, ['a'.repeat(200)]: '' });
    await expect(build([`COPY ${long} /d/`])).rejects.toMatchObject({ code: 'build.no-such-source' });
  });

  test('links in the context lead nowhere outside, in any part of a path', async () => {
    context.put({ f: 'own' });
    link('/', 'root');
    link('..', 'up');
    link(victim, 'out');
    link('loop', 'loop');
    for (const source of [
      `root${victim}/f`,
      'out/f',
      'out',
      `up/..${victim}/f`,
      'loop',
      `../../../..${victim}/f`,
      `out/*`,
    ])
      await expect(build([`COPY ${source} /x`]), source).rejects.toMatchObject({
        code: 'build.no-such-source',
      });
    expect(await outputOf(await build(['COPY root/f up/f /x/']), 'cat /x/f')).toBe('own');
    for (const source of [`root${victim}`, 'out', 'root/etc'])
      await expect(build([`RUN --mount=source=${source},target=/x true`]), source).rejects.toMatchObject({
        code: 'build.no-such-source',
      });
  });

  test('what changes between looking and reading leads nowhere outside either', async () => {
    const swaps = {
      'a directory becomes a link': () => {
        renameSync(join(context.path, 'd'), join(context.path, 'gone'));
        link(victim, 'd');
      },
      'a file becomes a link': () => {
        rmSync(join(context.path, 'd/f'));
        link(join(victim, 'f'), 'd/f');
      },
      'a file becomes a pipe': () => {
        rmSync(join(context.path, 'd/f'));
        execaSync('mkfifo', [join(context.path, 'd/f')]);
      },
      'a file becomes shorter': () => writeFileSync(join(context.path, 'd/f'), ''),
    };
    for (const [what, swap] of Object.entries(swaps)) {
      rmSync(join(context.path, 'd'), { recursive: true, force: true });
      rmSync(join(context.path, 'gone'), { recursive: true, force: true });
      // Of the same size, so that nothing else gives it away.
      context.put({ first: '1', 'd/f': 'x'.repeat(SECRET.length) });
      const building = build(['COPY first /first', `COPY d /${what.replaceAll(' ', '-')}`], {
        onProgress: (event) => {
          if (event.kind === 'begin' && event.step.startsWith('COPY d')) swap();
        },
      });
      await expect(building, what).rejects.toMatchObject({ code: 'build.context-changed', line: 3 });
    }
  });

  test('the trees of stages and images: links stay inside of them, for COPY, bind mounts and destinations', async () => {
    const evil = [
      `FROM ${BASE} AS evil`,
      `RUN ln -s / /root-link && ln -s ../../../../.. /up-link && ln -s ${victim} /victim-link && mkdir -p /e && echo image > /e/f`,
    ];
    const from = (...lines: string[]) => context.build([...evil, `FROM ${BASE}`, ...lines]);
    for (const source of [
      `/root-link${victim}/f`,
      `/up-link${victim}/f`,
      '/victim-link/f',
      `../../../..${victim}/f`,
      '/victim-link/*',
    ]) {
      await expect(from(`COPY --from=evil ${source} /x`), source).rejects.toMatchObject({
        code: 'build.no-such-source',
      });
      await expect(
        from(`RUN --mount=from=evil,source=${source},target=/x true`),
        source,
      ).rejects.toMatchObject({ code: 'build.no-such-source' });
    }
    expect(await outputOf(await from('COPY --from=evil /root-link/up-link/e/f /x'), 'cat /x')).toBe(
      'image\n',
    );
    // CVE-2024-1753: the root of the stage, not of the host.
    expect(
      (
        await said([
          ...evil,
          `FROM ${BASE}`,
          `RUN --mount=from=evil,source=/root-link,target=/m,rw ls /m${victim} 2>&1 || true; echo x > /m/etc/passwd`,
        ])
      ).join(),
    ).not.toContain('f,');
    const planted = await context.build([
      ...evil,
      'COPY Dockerfile /up-link/planted',
      `WORKDIR /root-link${victim}/deep`,
      'ADD Dockerfile ./',
    ]);
    expect(await outputOf(planted, `ls /planted ${victim}/deep`)).toBe(
      `/planted\n\n${victim}/deep:\nDockerfile\n`,
    );
    const dangling = context.build([...evil, 'COPY Dockerfile /victim-link/p']);
    await expect(dangling).rejects.toMatchObject({ line: 3 });
  });

  test('a tar for ADD: links, dots, absolute paths, devices and names that are none', async () => {
    const hostile = {
      'through a link': archive(symlink('l', victim), file('l/f', 'planted'), file('l/new')),
      'through a link and up': archive(symlink('l', '../../../..'), file(`l${victim}/f`, 'planted')),
      dots: archive(file(`../../../../../..${victim}/f`, 'planted')),
      absolute: archive(file(`${victim}/f`, 'planted')),
      'a hard link': archive(hardLink('l', `${victim}/f`), file('l', 'planted')),
      'a hard link to a link': archive(symlink('s', `${victim}/f`), hardLink('l', 's'), file('l', 'planted')),
      whiteout: archive(file('.wh.etc'), file('.wh..wh..opq'), file('.wh.')),
    };
    for (const [name, bytes] of Object.entries(hostile)) {
      writeFileSync(join(context.path, 'evil.tar'), bytes);
      for (const destination of ['/', '/dst/']) {
        const image = await build([`ADD evil.tar ${destination}`]).catch((error: unknown) => {
          expect(error, name).toMatchObject({ code: 'build.step-failed', line: 2 });
          return undefined;
        });
        // What is taken at all is somewhere in the image.
        if (image !== undefined) expect(await outputOf(image, 'cat /etc/hostname | wc -l'), name).toBe('1\n');
      }
    }
    writeFileSync(join(context.path, 'evil.tar'), archive(device('d', [0, 0])));
    await expect(build(['ADD evil.tar /'])).rejects.toMatchObject({ code: 'build.step-failed', line: 2 });
    writeFileSync(join(context.path, 'evil.tar'), archive(file('f')).subarray(0, 700));
    await expect(build(['ADD evil.tar /'])).rejects.toMatchObject({ code: 'build.step-failed', line: 2 });
  });
});
