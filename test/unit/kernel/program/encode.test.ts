import { expect, test } from 'vitest';
import { HEADER, INSTRUCTION, SECTION } from '../../../../src/kernel/program/abi.ts';
import { buffer, flags, ProgramBuilder, strings } from '../../../../src/kernel/program/builder.ts';
import { encode } from '../../../../src/kernel/program/encode.ts';

function example() {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const child = program.section('child', 'payload');
  const fd = shim.call('openat', [-100, '/a', 0], { tolerate: ['ENOENT'] });
  shim.call('read', [fd, buffer(8, 'seen'), 8]);
  shim.clone(child, flags({ CLONE_NEWNS: 0x20000 }, 'CLONE_NEWNS'));
  child.call('execve', ['/bin/sh', strings(['sh']), strings([])]);
  return program.build({ report: 'seen' });
}

test('a program is header, sections, instructions, relocations and data, each where the header says', () => {
  const bytes = encode(example(), 'x64');
  const at = (field: keyof typeof HEADER.offset) => bytes.readUInt32LE(HEADER.offset[field]);
  expect([at('sections'), at('instructions'), at('report_length')]).toEqual([2, 4, 8]);
  const sections = Math.ceil((2 * SECTION.size) / 8) * 8;
  const relocations = Math.ceil(at('relocations') / 2) * 8;
  expect(bytes.length).toBe(HEADER.size + sections + 4 * INSTRUCTION.size + relocations + at('data'));
});

test('numbers of system calls are those of the architecture', () => {
  const number = (arch: 'x64' | 'arm64') => {
    const first = HEADER.size + Math.ceil((2 * SECTION.size) / 8) * 8;
    return encode(example(), arch).readInt32LE(first + INSTRUCTION.offset.number);
  };
  expect([number('x64'), number('arm64')]).toEqual([257, 56]);
});

test('what no correct caller builds is refused', () => {
  const with_ = (write: (section: ReturnType<ProgramBuilder['section']>) => void) => {
    const program = new ProgramBuilder();
    write(program.section('shim', 'supervisor'));
    return () => encode(program.build(), 'x64');
  };
  expect(with_((s) => s.call('no_such_call', []))).toThrow(/no no_such_call/);
  expect(with_((s) => s.call('read', [1, 2, 3, 4, 5, 6, 7]))).toThrow(/7 operands/);
  expect(with_((s) => s.call('mkdirat', [0, 'a\0b', 0]))).toThrow(/NUL/);
  expect(with_((s) => s.call('read', [0], { tolerate: ['EWHATEVER'] }))).toThrow(/EWHATEVER/);
});
