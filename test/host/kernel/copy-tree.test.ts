import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call } from '../../../src/kernel/ffi/libc.ts';
import { openShimBinary } from '../../../src/kernel/program/shim-binary.ts';
import { copyTree } from '../../../src/runtime/launch/copy-tree.ts';
import { ProgramError } from '../../../src/runtime/launch/program-error.ts';
import { describeTree } from '../../fixtures/tree.ts';
import { requires } from '../../requires.ts';

const MIB = 1 << 20;
const binary = openShimBinary();

requires('root', 'setcap')('a copy of a tree', () => {
  let scratch: string;
  let from: string;
  let to: string;
  beforeEach(() => {
    // On a disk, as holes and attributes are of a file system.
    scratch = mkdtempSync('/var/tmp/mayfly-copy-');
    [from, to] = [join(scratch, 'from'), join(scratch, 'to')];
    mkdirSync(from, { mode: 0o751 });
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });
  const copy = (signal?: AbortSignal) => copyTree({ binary, from, to, userns: undefined, signal });

  test('has content, owners, modes, times, attributes, links and nodes of every kind', async () => {
    writeFileSync(join(from, 'plain'), 'text');
    writeFileSync(join(from, 'empty'), '');
    writeFileSync(join(from, 'suid'), 'x');
    chownSync(join(from, 'suid'), 12, 34);
    chmodSync(join(from, 'suid'), 0o6755);
    mkdirSync(join(from, 'deep/er'), { recursive: true });
    linkSync(join(from, 'plain'), join(from, 'deep/er/linked'));
    symlinkSync('/etc/passwd', join(from, 'link'));
    lchownSync(join(from, 'link'), 5, 6);
    execaSync('mknod', [join(from, 'whiteout'), 'c', '0', '0']);
    execaSync('mknod', [join(from, 'device'), 'b', '259', '70000']);
    execaSync('mkfifo', ['--mode=0620', join(from, 'fifo')]);
    call('lsetxattr', [join(from, 'deep'), 'trusted.overlay.opaque', Buffer.from('y'), 1, 0], 'mark');
    call('lsetxattr', [join(from, 'plain'), 'user.note', Buffer.from('hello'), 5, 0], 'note');
    execaSync('setcap', ['cap_net_raw+ep', join(from, 'suid')]);
    const server = createServer().listen(join(from, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    writeFileSync(join(from, Buffer.from([0x62, 0xff, 0x63]).toString('latin1')), 'odd name');
    utimesSync(join(from, 'deep/er'), 1, 2);
    utimesSync(join(from, 'deep'), 3, 4);
    utimesSync(from, 5, 6);
    expect(await copy()).toMatch(/^(copy|reflink)$/);
    expect(describeTree(to)).toEqual(describeTree(from));
    expect(statSync(to).mode).toBe(statSync(from).mode);
    expect(statSync(to).mtimeMs).toBe(6000);
    server.close();
  });

  test('keeps holes', async () => {
    const fd = openSync(join(from, 'sparse'), 'w');
    writeSync(fd, 'a', 3 * MIB);
    ftruncateSync(fd, 100 * MIB);
    closeSync(fd);
    await copy();
    expect(describeTree(to)).toEqual(describeTree(from));
    expect(statSync(join(to, 'sparse')).blocks).toBeLessThan(64);
  });

  test('copies large files, many files and deep directories', async () => {
    writeFileSync(join(from, 'large'), Buffer.alloc(20 * MIB, 'abc'));
    for (let i = 0; i < 2000; i += 1) writeFileSync(join(from, `file-with-a-rather-long-name-${i}`), `${i}`);
    mkdirSync(join(from, ...Array.from({ length: 300 }, () => 'd')), { recursive: true });
    await copy();
    expect(describeTree(to)).toEqual(describeTree(from));
  });

  test('ends at a full disk, with an error that says so', async () => {
    writeFileSync(join(from, 'large'), Buffer.alloc(2 * MIB, 1));
    const small = join(scratch, 'small');
    mkdirSync(small);
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'small', small]);
    try {
      to = join(small, 'to');
      const error = await copy().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(ProgramError);
      expect(error).toMatchObject({ code: 'kernel.program', errno: 'ENOSPC' });
    } finally {
      execaSync('umount', [small]);
    }
  });

  test('is refused of too deep a tree, and where something is', async () => {
    mkdirSync(join(from, ...Array.from({ length: 450 }, () => 'd')), { recursive: true });
    await expect(copy()).rejects.toMatchObject({ errno: 'ELOOP' });
    await expect(copy()).rejects.toMatchObject({ errno: 'EEXIST' });
  });

  test('ends when it is aborted', async () => {
    for (let i = 0; i < 5000; i += 1) writeFileSync(join(from, `${i}`), `${i}`);
    const controller = new AbortController();
    const copying = copy(controller.signal);
    controller.abort(new Error('enough'));
    await expect(copying).rejects.toThrow('enough');
    expect(existsSync(join(to, '4999'))).toBe(false);
  });
});
