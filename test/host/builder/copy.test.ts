import { createHash } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { BASE, BuildContext, outputOf } from '../../fixtures/building.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

/** A server on the loopback for the time of `use`. */
async function serving<T>(answer: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

requires('root', 'mmdebstrap')('COPY and ADD', () => {
  let context: BuildContext;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = new BuildContext();
  });
  afterEach(() => context[Symbol.dispose]());

  /** What a script says about the files that these instructions bring. */
  async function brought(instructions: readonly string[], script: string): Promise<string> {
    return outputOf(await context.build([`FROM ${BASE}`, ...instructions]), script);
  }
  const tree = 'cd /d && find . -mindepth 1 | sort';

  test('owners by name and number, modes, and what a context loses: owners and times do not matter', async () => {
    context.put({ f: 'f', 'dir/x': 'x' });
    chmodSync(join(context.path, 'f'), 0o751);
    const script = 'stat -c "%U:%G %a" /a /b /c /d /d/x';
    const made = await brought(
      [
        'COPY f /a',
        'COPY --chown=nobody f /b',
        'COPY --chown=daemon:7 --chmod=04711 f /c',
        'COPY --chown=33 --chmod=700 dir /d',
      ],
      script,
    );
    expect(made.split('\n').slice(0, 5)).toEqual([
      'root:root 751',
      'nobody:nogroup 751',
      'daemon:lp 4711',
      'www-data:www-data 700',
      'www-data:www-data 700',
    ]);
    await expect(context.build([`FROM ${BASE}`, 'COPY --chown=no-such-user f /a'])).rejects.toMatchObject({
      line: 2,
    });
  });

  test('patterns are of Go: stars stop at slashes, ranges, escapes; several sources need a directory', async () => {
    context.put({ 'a1.txt': '', 'a2.txt': '', 'b1.txt': '', 'sub/a3.txt': '', '[x].txt': '' });
    expect(await brought(['COPY a?.txt /d/'], tree)).toBe('./a1.txt\n./a2.txt\n');
    expect(await brought(['COPY [ab]1.txt [[]x].txt /d/'], tree)).toBe('./[x].txt\n./a1.txt\n./b1.txt\n');
    expect(await brought(['COPY */*.txt /d/'], tree)).toBe('./a3.txt\n');
    expect(await brought(['COPY ["a1.txt", "sub", "/d/"]'], tree)).toBe('./a1.txt\n./a3.txt\n');
    await expect(context.build([`FROM ${BASE}`, 'COPY a1.txt b1.txt /d'])).rejects.toMatchObject({
      code: 'build.syntax',
      line: 2,
    });
    await expect(context.build([`FROM ${BASE}`, 'COPY none*.txt /d/'])).rejects.toMatchObject({
      code: 'build.no-such-source',
    });
  });

  test('a directory gives its content, a file becomes the destination or goes into it', async () => {
    context.put({ 'dir/x': 'x', 'dir/sub/y': 'y', f: 'f' });
    expect(await brought(['COPY dir /d'], tree)).toBe('./sub\n./sub/y\n./x\n');
    expect(await brought(['COPY f /d/e'], tree)).toBe('./e\n');
    expect(await brought(['COPY f /d/e/'], tree)).toBe('./e\n./e/f\n');
    expect(await brought(['WORKDIR /d', 'COPY dir/x .', 'COPY f sub/'], tree)).toBe('./sub\n./sub/f\n./x\n');
    await expect(context.build([`FROM ${BASE}`, 'COPY dir /etc/passwd'])).rejects.toMatchObject({
      code: 'build.step-failed',
      line: 2,
    });
  });

  test('--link changes nothing about what is copied; --parents keeps directories; --exclude leaves out', async () => {
    context.put({ 'a/b/x.txt': '', 'a/b/x.log': '', 'a/c/y.txt': '' });
    expect(await brought(['COPY --link a/b /d'], tree)).toBe('./x.log\n./x.txt\n');
    expect(await brought(['COPY --parents a/*/*.txt /d/'], tree)).toBe(
      './a\n./a/b\n./a/b/x.txt\n./a/c\n./a/c/y.txt\n',
    );
    expect(await brought(['COPY --exclude=**/*.log --exclude=c a /d/'], tree)).toBe('./b\n./b/x.txt\n');
    for (const flag of ['--parents', '--exclude=*.log']) {
      const building = context.build([`FROM ${BASE} AS one`, 'FROM one', `COPY --from=one ${flag} /etc /d/`]);
      await expect(building, flag).rejects.toMatchObject({ code: 'build.unsupported', line: 3 });
    }
  });

  test('--from: a stage by name and number, an image, patterns, links, owners kept or given', async () => {
    const lines = [
      `FROM ${BASE} AS one`,
      'RUN mkdir -p /o/sub && echo 1 > /o/sub/x && chown -R 5:6 /o && ln -s sub/x /o/link && ln -s /o/sub /o/way',
      `FROM ${BASE}`,
      'COPY --from=one /o /d/all',
      'COPY --from=0 --chown=7:8 /o/s*/x /d/patterned',
      'COPY --from=one /o/way/x /d/through',
      'COPY --from=one /o/way /d/followed/',
      'COPY --from=one /o/link /d/file',
      `COPY --from=${BASE} /etc/debian_version /d/`,
    ];
    expect(
      await outputOf(
        await context.build(lines),
        'cd /d; stat -c "%n %u:%g" $(find . -type f | sort); readlink all/link',
      ),
    ).toBe(
      './all/sub/x 5:6\n./debian_version 0:0\n./file 5:6\n./followed/x 5:6\n./patterned 7:8\n./through 5:6\nsub/x\n',
    );
    for (const from of ['two', '3', 'test/no-such-image:1'])
      await expect(
        context.build([`FROM ${BASE}`, `COPY --from=${from} /x /y`], { pull: 'never' }),
        from,
      ).rejects.toMatchObject({ code: 'image.not-found', line: 2 });
    await expect(
      context.build([`FROM ${BASE} AS one`, 'FROM one', 'COPY --from=one /nope /y']),
    ).rejects.toMatchObject({ code: 'build.no-such-source', line: 3 });
  });

  test('here-documents: several, expanded or not, with tabs taken away', async () => {
    const lines = [
      'ARG V=1',
      'COPY <<one.txt <<-"two.txt" /d/',
      'one $V',
      'one.txt',
      '\ttwo $V',
      '\ttwo.txt',
      'COPY --chmod=755 <<EOF /d/script',
      '#!/bin/sh',
      'echo \\$V $V',
      'EOF',
    ];
    expect(await brought(lines, 'cd /d; cat one.txt two.txt; V=shell ./script')).toBe(
      'one 1\ntwo $V\nshell 1\n',
    );
  });

  test('ADD unpacks local archives, compressed or not, and takes anything else as it is', async () => {
    context.put({ 'in/f': 'packed', 'not.tar': 'no tar', 'odd.gz': '' });
    for (const [name, flag] of [
      ['a.tar', '-c'],
      ['b.tgz', '-cz'],
      ['c.tar.xz', '-cJ'],
      ['d.zst', '--zstd -c'],
      ['e.bz2', '-cj'],
    ] as const)
      await execa('tar', [...flag.split(' '), '-f', name, '-C', 'in', 'f'], { cwd: context.path });
    context.put({ 'odd.gz': gzipSync('only compressed').toString('latin1') });
    const cat = 'cd /d; cat */f';
    expect(await brought(['ADD a.tar /d/a', 'ADD b.tgz /d/b', 'ADD d.zst /d/d/'], cat)).toBe(
      'packed'.repeat(3),
    );
    expect(await brought(['ADD not.tar odd.gz /d/', 'COPY a.tar /d/a'], 'cd /d; ls; head -c1 a')).toBe(
      'a\nnot.tar\nodd.gz\nf',
    );
    for (const name of ['c.tar.xz', 'e.bz2'])
      expect(await brought([`ADD ${name} /d/x`], cat), name).toBe('packed');
  });

  test('ADD fetches: names, mode 600, a checksum; no archive from afar is unpacked', async () => {
    await execa('tar', ['-cf', 'a.tar', '-C', '/etc', 'hostname'], { cwd: context.path });
    const { stdout } = await execa('cat', ['a.tar'], { cwd: context.path, encoding: 'buffer' });
    const digest = `sha256:${createHash('sha256').update(stdout).digest('hex')}`;
    await serving(
      (request, response) => {
        if (request.url === '/moved') response.writeHead(302, { location: '/files/a.tar' }).end();
        else if (request.url?.startsWith('/files/')) response.end(stdout);
        else response.writeHead(404).end();
      },
      async (url) => {
        const script = 'cd /d; stat -c "%n %a %s" *';
        const size = stdout.length;
        expect(
          await brought(
            [
              `ADD --checksum=${digest} ${url}/files/a.tar?x=1 /d/`,
              `ADD ${url}/moved /d/other`,
              `ADD --chmod=644 --chown=5 ${url}/files/b /d/`,
            ],
            script,
          ),
        ).toBe(`a.tar 600 ${size}\nb 644 ${size}\nother 600 ${size}\n`);
        for (const [instruction, code] of [
          [`ADD --checksum=sha256:${'0'.repeat(64)} ${url}/files/a.tar /d`, 'build.checksum-mismatch'],
          [`ADD --checksum=md5:0 ${url}/files/a.tar /d`, 'build.syntax'],
          [`ADD ${url}/nope /d`, 'build.fetch-failed'],
          ['ADD git@github.com:some/repository.git /d', 'build.unsupported'],
          [`ADD ${url}/repository.git#main /d`, 'build.unsupported'],
          ['ADD --checksum=sha256:00 a.tar /d', 'build.syntax'],
        ] as const) {
          const building = context.build([`FROM ${BASE}`, instruction]);
          await expect(building, instruction).rejects.toMatchObject({ code, line: 2 });
        }
      },
    );
  });

  test('.dockerignore: exceptions, directories, comments, **, the Dockerfile itself, one of its own for a Dockerfile', async () => {
    context.put({
      '.dockerignore':
        '# comment\n\n**/*.log\n!keep/**/*.log\nDockerfile\n.dockerignore\nnode_modules\n/top\n!top/back\na*/b',
      'x.log': '',
      'keep/y.log': '',
      'keep/deep/z.log': '',
      'top/gone': '',
      'top/back': '',
      'sub/node_modules/in': '',
      'node_modules/out': '',
      'ab/b/gone': '',
      'ab/c': '',
    });
    const found = 'cd /d && find . -type f | sort';
    expect(await brought(['COPY . /d/'], found)).toBe(
      './ab/c\n./keep/deep/z.log\n./keep/y.log\n./sub/node_modules/in\n./top/back\n',
    );
    await expect(context.build([`FROM ${BASE}`, 'COPY x.log /d'])).rejects.toMatchObject({
      code: 'build.no-such-source',
    });
    context.put({ 'Dockerfile.dockerignore': '*\n!x.log' });
    expect(await brought(['COPY . /d/'], found)).toBe('./x.log\n');
  });

  test('hard links become files, empty directories and odd names arrive, sockets and pipes do not', async () => {
    context.put({ 'in/one': '1', 'in/with space ü': 'u' });
    linkSync(join(context.path, 'in/one'), join(context.path, 'in/two'));
    mkdirSync(join(context.path, 'in/empty'));
    symlinkSync('nowhere', join(context.path, 'in/dangling'));
    await execa('mkfifo', ['in/pipe'], { cwd: context.path });
    expect(
      await brought(
        ['COPY in /d', 'COPY ["in/with space ü", "/d/in words"]'],
        'cd /d && find . -mindepth 1 -printf "%P %y\\n" | sort',
      ),
    ).toBe('dangling l\nempty d\nin words f\none f\ntwo f\nwith space ü f\n');
  });

  test('what a step copies is found again by content: another time or owner is no change, another mode is', async () => {
    context.put({ f: 'same' });
    const lines = [`FROM ${BASE}`, `COPY f /${process.pid}`];
    const cached = async () => {
      const { events } = await context.watch(lines);
      return events.flatMap((event) => (event.kind === 'end' ? [event.cached] : [])).at(-1);
    };
    await cached();
    context.put({ f: 'same' });
    expect(await cached()).toBe(true);
    chmodSync(join(context.path, 'f'), 0o600);
    expect(await cached()).toBe(false);
  });
});
