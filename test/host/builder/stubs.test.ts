import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Image } from '../../../src/index.ts';
import { BASE, BuildContext, outputOf } from '../../fixtures/building.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

/** A shell and what it needs, and nothing else: neither /proc nor /etc nor /tmp. */
const TINY = [
  `FROM ${BASE} AS full`,
  'RUN mkdir -p /tiny/bin && cp /bin/dash /tiny/bin/sh && cp /bin/ls /bin/rm /bin/ln /bin/mkdir /bin/chmod /bin/chown /bin/rmdir /tiny/bin && \\',
  '    for file in $(ldd /tiny/bin/* | grep -o "/[^ :]*\\.so[^ ]*" | sort -u); do mkdir -p /tiny/$(dirname $file) && cp $file /tiny/$file; done',
  'FROM scratch',
  'COPY --from=full /tiny /',
];

/** What the last layer holds: paths, whiteouts as `-path`. */
function changes({ layers }: Image): string[] {
  const { directory } = layers.at(-1)!;
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = relative(directory, join(entry.parentPath, entry.name));
      return entry.isCharacterDevice() ? `-${path}` : path;
    })
    .sort();
}

requires('root', 'mmdebstrap')('a layer of RUN holds what the command changed and nothing else', () => {
  let context: BuildContext;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = new BuildContext();
  });
  afterEach(() => context[Symbol.dispose]());
  const tiny = async (...lines: string[]) => changes(await context.build([...TINY, ...lines]));

  test('no mount points of the runtime in an image that has none of them', async () => {
    expect(await tiny('RUN ls -d /proc/1 /sys /dev/null /etc/hosts > /made')).toEqual(['made']);
    expect(await tiny('RUN true')).toEqual([]);
  });

  test('none of RUN --mount, nor the directories above them', async () => {
    const mounts = [
      '--mount=type=cache,target=/var/cache/deep',
      '--mount=type=tmpfs,target=/t',
      '--mount=type=secret,id=s',
      '--mount=target=/bin/context',
    ];
    context.put({ Dockerfile: '' });
    expect(
      await changesOf(`RUN ${mounts.join(' ')} echo > /run/beside; ls /var/cache/deep /t /run/secrets/s`),
    ).toEqual(['run', 'run/beside']);
  });
  const changesOf = async (line: string) =>
    changes(await context.build([...TINY, line], { secrets: { s: 'x' } }));

  test('what the command made there or changed about it stays', async () => {
    const made = await changesOf(
      'RUN --mount=type=cache,target=/a/b/c echo > /a/x; echo > /etc/own; chmod 700 /bin; mkdir /empty',
    );
    expect(made).toEqual(['a', 'a/x', 'bin', 'empty', 'etc', 'etc/own']);
    expect(await changesOf('RUN --mount=type=tmpfs,target=/bin/t chown 5:6 /bin')).toEqual(['bin']);
    expect(await changesOf('RUN --mount=type=tmpfs,target=/bin/t rm /bin/ln')).toEqual(['-bin/ln', 'bin']);
  });

  test('directories of the image above a mount point are not copied into the layer', async () => {
    const image = await context.build([
      `FROM ${BASE}`,
      'RUN mkdir -p /opt/a/b && chmod 750 /opt/a && chown 5:6 /opt/a && ln -s /opt/a /opt/way',
      'RUN --mount=type=cache,target=/opt/way/b/c/d --mount=type=cache,target=/opt/a/e true',
    ]);
    expect(changes(image)).toEqual([]);
    expect(await outputOf(image, 'stat -c %a:%u:%g /opt/a; find /opt | sort')).toBe(
      '750:5:6\n/opt\n/opt/a\n/opt/a/b\n/opt/way\n',
    );
  });

  test('a link that the command has put in the way is not followed (CVE-2024-23652)', async () => {
    const victim = mkdtempSync(join(tmpdir(), 'mayfly-victim-'));
    mkdirSync(join(victim, 'b'));
    writeFileSync(join(victim, 'b/c'), '');
    // Mounted over, /a/b/c itself cannot go; what is above it can be moved aside.
    const swap = (target: string) => `mkdir /kept && mv /a /kept/a && ln -s ${target} /a`;
    for (const target of [victim, '/victim']) {
      const lines = [
        `FROM ${BASE}`,
        'RUN mkdir -p /victim/b && touch /victim/b/c',
        `RUN --mount=type=bind,source=Dockerfile,target=/a/b/c ${swap(target)}`,
      ];
      const image = await context.build(lines, { noCache: true });
      expect(await outputOf(image, 'readlink /a; find /victim | sort')).toBe(
        `${target}\n/victim\n/victim/b\n/victim/b/c\n`,
      );
    }
    expect(lstatSync(join(victim, 'b/c')).isFile()).toBe(true);
    rmSync(victim, { recursive: true });
  });
});
