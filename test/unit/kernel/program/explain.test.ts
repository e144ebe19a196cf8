import { expect, test } from 'vitest';
import { buffer, flags, ProgramBuilder, strings, struct } from '../../../../src/kernel/program/builder.ts';
import { explain } from '../../../../src/kernel/program/explain.ts';

test('a program reads as text: results, flags, tolerated errors and purposes', () => {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const child = program.section('child', 'payload');
  const fd = shim.call('openat', [-100, '/a', flags({ O_PATH: 8, O_CLOEXEC: 16 }, 'O_PATH', 'O_CLOEXEC')], {
    what: 'open a',
    tolerate: ['ENOENT'],
  });
  shim.call('read', [fd, buffer(8, 'seen'), 8]);
  shim.clone(child, flags({ CLONE_NEWNS: 0x20000 }, 'CLONE_NEWNS'));
  child.call('seccomp', [1, 0, struct([1, 2], '<filter>')]);
  child.call('execve', ['/bin/sh', strings(['sh', '-c']), strings([])]);
  expect(explain(program.build())).toMatchInlineSnapshot(`
    "shim:
        0 openat(-100, "/a", O_PATH|O_CLOEXEC) ?ENOENT  # open a
        1 read($0, <seen 8>, 8)
        2 clone(child, CLONE_NEWNS)
    child:
        3 seccomp(1, 0, <filter>)
        4 execve("/bin/sh", ["sh", "-c"], [])"
  `);
});
