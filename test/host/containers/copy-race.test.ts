import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'; // biome-ignore format: one list
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Container, startContainer, Wait } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { archive, directory } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

/** Two copies each, one out and one in. */
const ROUNDS = 150;
/** With RENAME_EXCHANGE, which mv learns in coreutils 9.5 only. */
const RENAMEAT2 = process.arch === 'arm64' ? 276 : 316;

/** Everything that could tell of a touch: names, modes, owners, times, content. */
function fingerprint(path: string): string {
  const hash = createHash('sha256');
  for (const name of ['.', ...readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()]) {
    const { mode, uid, gid, mtimeMs, ctimeMs, ino } = lstatSync(join(path, name));
    hash.update(JSON.stringify([name, mode, uid, gid, mtimeMs, ctimeMs, ino]));
    if (lstatSync(join(path, name)).isFile()) hash.update(readFileSync(join(path, name)));
  }
  return hash.digest('hex');
}

// CVE-2018-15664 and its kin: what the container swaps, the copy must not follow out of it.
requires('root', 'mmdebstrap')('copies while the container swaps a directory and a link to the root', () => {
  let box: Container;
  let host: string;
  let victim: string;
  const secret = randomBytes(32).toString('hex');

  beforeAll(async () => {
    host = mkdtempSync(join(tmpdir(), 'mayfly-race-'));
    // The same path on the host and in the container, so that an escape would find it.
    victim = join(host, 'victim');
    mkdirSync(victim);
    writeFileSync(join(victim, 'hello'), secret, { mode: 0o644 });
    box = await startContainer({
      image: await debian(),
      command: ['sh', '-c', SWAP],
      env: { HOST: host },
      waitFor: Wait.forLogMessage('armed'),
      cpus: 0.5,
      stopTimeout: 0,
    });
  });
  afterAll(async () => {
    await box.stop();
    rmSync(host, { recursive: true, force: true });
  });

  // /w/dir is a directory with a tree like the victim's at one moment, and a link to / at the next.
  const SWAP = `mkdir -p /w/dir$HOST/victim $HOST/victim
    echo inside > /w/dir$HOST/victim/hello; echo inside > $HOST/victim/hello
    ln -s / /w/link
    echo armed
    exec perl -e '($dir, $link) = @ARGV; syscall(${RENAMEAT2}, -100, $dir, -100, $link, 2) while 1' /w/dir /w/link`;

  test(`${2 * ROUNDS} copies out and in neither read nor write the host`, { timeout: 300_000 }, async () => {
    const before = fingerprint(victim);
    const path = `/w/dir${victim}`;
    let copied = 0;
    const attempt = async (round: number) => {
      const [read] = await Promise.allSettled([
        box.copyFrom(`${path}/hello`).text(),
        box.copyTo(`${path}/hello-${round % 5}`, { content: 'written' }),
        // A directory that is there as a link: neither it nor what it leads to gets another mode (CVE-2021-41089).
        ...(round % 10 === 0 ? [box.copyTo('/w', { tar: archive(directory('dir', { mode: 0o700 })) })] : []),
      ]);
      if (read.status !== 'fulfilled') return;
      expect(read.value).not.toContain(secret);
      copied += 1;
    };
    for (let round = 0; round < ROUNDS; round += 4)
      await Promise.all([0, 1, 2, 3].map((offset) => attempt(round + offset)));
    expect(fingerprint(victim)).toBe(before);
    // Otherwise nothing was tried.
    expect(copied).toBeGreaterThan(ROUNDS / 10);
  });
});

// CVE-2019-14271, CVE-2026-41567: nothing that the image brings is run or loaded by us. It is put there from inside, so
// that no fault of ours could put it anywhere else.
requires('root', 'mmdebstrap')('libraries and programs of the image', () => {
  const PLANT = `mkdir /w
    for name in xz unxz gzip gunzip unpigz zstd bzip2 tar node; do
      printf '#!/bin/sh\\ntouch /PWNED\\n' > /usr/local/bin/$name; chmod 755 /usr/local/bin/$name
    done
    for library in libnss_files.so.2 libgcc_s.so.1 libkoffi.so; do echo no library > /usr/lib/$library; done
    for path in /etc/nsswitch.conf /etc/ssl/openssl.cnf /package.json; do mkdir -p $(dirname $path); echo '{' > $path; done
    echo /evil.so > /etc/ld.so.preload
    echo planted; exec sleep infinity`;

  test('are not ours to use: archives of every kind are copied, and what fails fails of itself', async () => {
    const target = mkdtempSync(join(tmpdir(), 'mayfly-planted-'));
    await using box = await startContainer({
      image: await debian(),
      command: ['sh', '-c', PLANT],
      waitFor: Wait.forLogMessage('planted'),
      stopTimeout: 0,
    });
    const tar = archive(directory('d'));
    for (const source of [tar, gzipSync(tar), zstdCompress(tar)]) await box.copyTo('/w', { tar: source });
    await expect(
      box.copyTo('/w', { tar: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) }),
    ).rejects.toMatchObject({
      code: 'copy.unsupported-compression',
    });
    await box.copyFrom('/w').to(target);
    expect(readdirSync(join(target, 'w'))).toEqual(['d']);
    expect((await box.exec(['sh', '-c', 'test -e /PWNED'])).exitCode).toBe(1);
    rmSync(target, { recursive: true });
  });
});

function zstdCompress(bytes: Buffer): Buffer {
  return execFileSync('zstd', ['--stdout'], { input: bytes });
}
