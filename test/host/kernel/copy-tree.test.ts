import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
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
import { listXattrs, readXattr } from '../../../src/files/pack/xattrs.ts';
import { call } from '../../../src/kernel/ffi/libc.ts';
import { openShimBinary } from '../../../src/kernel/program/shim-binary.ts';
import { copyTree } from '../../../src/runtime/launch/copy-tree.ts';
import { ProgramError } from '../../../src/runtime/launch/program-error.ts';
import { describeTree } from '../../fixtures/tree.ts';
import { requires } from '../../requires.ts';

const MIB = 1 << 20;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** An access list (<linux/posix_acl_xattr.h>): of the owner, of user 33, of the group, the mask, and of others. */
const ACCESS = Buffer.concat([
  Buffer.from([2, 0, 0, 0]),
  ...[
    [0x01, 6, -1],
    [0x02, 7, 33],
    [0x04, 4, -1],
    [0x10, 7, -1],
    [0x20, 0, -1],
  ].map(([tag, permissions, id]) => {
    const entry = Buffer.alloc(8);
    entry.writeUInt16LE(tag!, 0);
    entry.writeUInt16LE(permissions!, 2);
    entry.writeInt32LE(id!, 4);
    return entry;
  }),
]);
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
    // Node's own way does not reach what lies too deep.
    execaSync('rm', ['-r', scratch]);
  });
  const setXattr = (path: string, name: string, value: Buffer) =>
    call('lsetxattr', [Buffer.from(`${path}\0`), name, value, value.length, 0], `set ${name}`);
  /** Of the last access a nanosecond later. */
  const setTimes = (path: string, moment: bigint) => {
    const times = Buffer.alloc(32);
    for (const [i, time] of [moment + 1n, moment].entries()) {
      const seconds = time / 10n ** 9n - (time % 10n ** 9n < 0n ? 1n : 0n);
      times.writeBigInt64LE(seconds, i * 16);
      times.writeBigInt64LE(time - seconds * 10n ** 9n, i * 16 + 8);
    }
    call('utimensat', [AT_FDCWD, Buffer.from(`${path}\0`), times, AT_SYMLINK_NOFOLLOW], 'set times');
  };
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

  test('has times to the nanosecond, of files, directories, links and nodes', async () => {
    writeFileSync(join(from, 'file'), 'x');
    mkdirSync(join(from, 'directory'));
    symlinkSync('nowhere', join(from, 'link'));
    execaSync('mkfifo', [join(from, 'fifo')]);
    execaSync('mknod', [join(from, 'device'), 'c', '1', '3']);
    const names = ['file', 'directory', 'link', 'fifo', 'device'];
    // A second before 1970, the last nanosecond of one, and one beyond 32 bits.
    const moments = [-1_999_999_999n, 1_999_999_999n, 123n, 2n ** 32n * 10n ** 9n + 7n, 1_000_000_001n];
    for (const [i, name] of names.entries()) setTimes(join(from, name), moments[i]!);
    await copy();
    const times = names.map((name) => lstatSync(join(to, name), { bigint: true }));
    expect(times.map(({ mtimeNs }) => mtimeNs)).toEqual(moments);
    expect(times.map(({ atimeNs }) => atimeNs)).toEqual(moments.map((moment) => moment + 1n));
  });

  test('has access lists, those of new files in a directory too', async () => {
    mkdirSync(join(from, 'shared'), { mode: 0o750 });
    writeFileSync(join(from, 'private'), 'x', { mode: 0o640 });
    for (const name of ['system.posix_acl_access', 'system.posix_acl_default'])
      setXattr(join(from, 'shared'), name, ACCESS);
    setXattr(join(from, 'private'), 'system.posix_acl_access', ACCESS);
    await copy();
    expect(describeTree(to)).toEqual(describeTree(from));
    const names = (path: string) => listXattrs(join(to, path)).sort();
    expect(names('shared')).toEqual(['system.posix_acl_access', 'system.posix_acl_default']);
    expect(readXattr(join(to, 'private'), 'system.posix_acl_access')).toEqual(ACCESS);
  });

  test('has the marks of an overlay, and several names of what is no file', async () => {
    mkdirSync(join(from, 'opaque'));
    setXattr(join(from, 'opaque'), 'trusted.overlay.opaque', Buffer.from('y'));
    setXattr(join(from, 'opaque'), 'user.overlay.opaque', Buffer.from('y'));
    for (const name of ['one', 'two', 'three']) execaSync('mknod', [join(from, name), 'c', '0', '0']);
    // Overlay makes one whiteout and links it.
    linkSync(join(from, 'one'), join(from, 'opaque/one-again'));
    symlinkSync('x', join(from, 'link'));
    linkSync(join(from, 'link'), join(from, 'link-again'));
    execaSync('mkfifo', [join(from, 'fifo')]);
    linkSync(join(from, 'fifo'), join(from, 'fifo-again'));
    await copy();
    expect(describeTree(to)).toEqual(describeTree(from));
    expect(lstatSync(join(to, 'opaque/one-again')).ino).toBe(lstatSync(join(to, 'one')).ino);
    expect(lstatSync(join(to, 'link-again')).ino).toBe(lstatSync(join(to, 'link')).ino);
  });

  test('has attributes as large as a file system takes, and empty ones', async () => {
    writeFileSync(join(from, 'file'), 'x');
    mkdirSync(join(from, 'directory'));
    for (const name of ['file', 'directory']) {
      setXattr(join(from, name), 'user.large', Buffer.alloc(3000, name));
      setXattr(join(from, name), 'user.empty', Buffer.alloc(0));
      setXattr(join(from, name), 'trusted.own', Buffer.from([0, 255]));
    }
    await copy();
    expect(describeTree(to)).toEqual(describeTree(from));
    expect(listXattrs(join(to, 'file')).sort()).toEqual(['trusted.own', 'user.empty', 'user.large']);
  });

  test('has names as long as can be, and paths longer than one call takes', async () => {
    const long = 'n'.repeat(255);
    writeFileSync(join(from, 'l'.repeat(255)), 'x');
    symlinkSync('t'.repeat(4000), join(from, 'link'));
    // 15 names of 255 bytes each.
    mkdirSync(join(from, ...Array.from({ length: 15 }, () => long)), { recursive: true });
    await copy();
    expect(describeTree(to)).toEqual(describeTree(from));
    // Who goes down step by step comes further.
    execaSync('perl', ['-e', 'for (1..2) { mkdir $ARGV[0]; chdir $ARGV[0] or die }', long], {
      cwd: join(from, ...Array.from({ length: 15 }, () => long)),
    });
    to = join(scratch, 'too-long');
    await expect(copy()).rejects.toMatchObject({ errno: 'ENAMETOOLONG' });
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
