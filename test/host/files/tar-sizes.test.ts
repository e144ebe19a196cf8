import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLayerStore } from '../../../src/images/layers/layer-store.ts';
import { resolveHome } from '../../../src/support/home.ts';
import { archive, extended, file, forged, record } from '../../fixtures/tar.ts';
import { requires } from '../../requires.ts';

/** One entry, without an end mark. */
const inner = archive(file('inner', 'evil')).subarray(0, 1024);
const size = (bytes: number) => record('size', String(bytes));
const after = archive(file('after', 'x'));
const cover = (bytes: number) => forged({ ...file('cover'), size: bytes }, {});

/** Sizes in PAX and ustar that contradict each other: what takes the wrong one for the true sees other entries (CVE-2025-62518). */
const CASES: readonly [title: string, tar: Buffer, names: readonly string[] | undefined][] = [
  ['more in PAX than in ustar', Buffer.concat([extended(size(1024), cover(0)), inner, after]), ['after', 'cover']],
  ['less in PAX than in ustar', Buffer.concat([extended(size(0), cover(1024)), inner, after]), ['after', 'cover', 'inner']],
  ['half of it in PAX', Buffer.concat([extended(size(512), cover(1024)), inner.subarray(0, 512), after]), ['after', 'cover']],
  ['the last of several in PAX', Buffer.concat([extended(size(0) + size(1024), cover(0)), inner, after]), ['after', 'cover']],
  ['a larger one in PAX than there is', Buffer.concat([extended(size(1 << 20), cover(0)), inner, after]), undefined],
]; // biome-ignore format: a table

/** What Python's tarfile sees; it is what many have of tar. */
const PYTHON = `import sys, io, tarfile
print("\\n".join(tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())).getnames()))`;

requires('root')('an archive whose headers contradict each other', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-sizes-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const ours = async (tar: Buffer) => {
    const store = openLayerStore(resolveHome({ MAYFLY_HOME: home }));
    return readdirSync((await store.importTar(Readable.from([tar]))).directory).toSorted();
  };
  /** Undefined when it fails. */
  const theirs = (program: string, args: readonly string[], tar: Buffer) => {
    const { status, stdout } = spawnSync(program, args, { input: tar, encoding: 'utf8' });
    return status === 0 ? stdout.trim().split('\n').toSorted() : undefined;
  };

  for (const [title, tar, names] of CASES)
    test(`holds what GNU tar and Python see in it: ${title}`, async () => {
      if (names === undefined) await expect(ours(tar)).rejects.toMatchObject({ code: 'layer.refused' });
      else expect(await ours(tar)).toEqual(names);
      expect(theirs('tar', ['-tf', '-'], tar)).toEqual(names);
      const hasPython = spawnSync('python3', ['-c', '']).status === 0;
      if (hasPython && names !== undefined) expect(theirs('python3', ['-c', PYTHON], tar)).toEqual(names);
    });
});
