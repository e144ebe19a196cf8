import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FAILURE, FRAMES } from '../../../src/kernel/program/abi.ts';
import { ProgramBuilder, type SectionBuilder } from '../../../src/kernel/program/builder.ts';
import { encode } from '../../../src/kernel/program/encode.ts';
import type { Architecture } from '../../../src/kernel/syscalls/numbers.ts';
import { encodeFrame, type Frame, FrameReader } from '../../../src/runtime/launch/frame-reader.ts';
import { requires } from '../../requires.ts';

const AT_FDCWD = -100;
const EEXIST = 17;
const BUILT = join(import.meta.dirname, '../../../build/shim');

/** A shim that is no container's: started as any program, with its control socket on fd 3. */
async function execute(
  architecture: Architecture,
  write: (section: SectionBuilder) => void,
): Promise<{ exitCode: number | null; frames: Frame[] }> {
  const shim = join(BUILT, `mayfly-shim-${architecture}`);
  const argv = architecture === process.arch ? [shim] : ['qemu-aarch64', shim];
  const child: ChildProcess = spawn(argv[0]!, argv.slice(1), {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const control = child.stdio[3] as Socket;
  const reader = new FrameReader();
  const frames: Frame[] = [];
  control.on('data', (chunk: Buffer) => frames.push(...reader.push(chunk)));
  const program = new ProgramBuilder();
  write(program.section('shim', 'supervisor'));
  control.write(encodeFrame(FRAMES.program, encode(program.build(), architecture)));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, frames };
}

const architectures: Architecture[] = ['x64', 'arm64'];

for (const architecture of architectures) {
  const needs =
    architecture === process.arch ? (['gcc'] as const) : (['aarch64-linux-gnu-gcc', 'qemu-aarch64'] as const);
  requires(...needs)(`the shim on ${architecture}`, () => {
    let scratch: string;
    beforeEach(() => {
      scratch = mkdtempSync(join(tmpdir(), 'mayfly-shim-'));
    });
    afterEach(() => rmSync(scratch, { recursive: true }));

    test('is smaller than 200 KB', () => {
      expect(statSync(join(BUILT, `mayfly-shim-${architecture}`)).size).toBeLessThan(200_000);
    });

    test('runs instructions in order, hands results on, and skips what hangs on a tolerated failure', async () => {
      const { exitCode, frames } = await execute(architecture, (shim) => {
        const missing = shim.call('openat', [AT_FDCWD, join(scratch, 'no'), 0], { tolerate: ['ENOENT'] });
        shim.call('mkdirat', [missing, 'skipped', 0o700]);
        shim.call('mkdirat', [AT_FDCWD, join(scratch, 'a'), 0o700]);
        const a = shim.call('openat', [AT_FDCWD, join(scratch, 'a'), 0]);
        shim.call('mkdirat', [a, 'b', 0o700]);
      });
      expect({ exitCode, frames }).toEqual({ exitCode: 0, frames: [] });
      expect(existsSync(join(scratch, 'a/b'))).toBe(true);
    });

    test('reports the instruction that failed, its errno and every result', async () => {
      const { exitCode, frames } = await execute(architecture, (shim) => {
        shim.call('mkdirat', [AT_FDCWD, join(scratch, 'a'), 0o700]);
        shim.call('openat', [AT_FDCWD, join(scratch, 'no'), 0], { tolerate: ['ENOENT'] });
        shim.call('mkdirat', [AT_FDCWD, join(scratch, 'a'), 0o700]);
        shim.call('mkdirat', [AT_FDCWD, join(scratch, 'never'), 0o700]);
      });
      expect(exitCode).toBe(125);
      expect(frames.map(({ type }) => type)).toEqual([FRAMES.failed]);
      const { body } = frames[0]!;
      expect(body.readInt32LE(FAILURE.offset.index)).toBe(2);
      expect(body.readInt32LE(FAILURE.offset.errno)).toBe(EEXIST);
      expect([0, 1, 2, 3].map((i) => body.readInt32LE(FAILURE.size + 4 * i))).toEqual([0, -2, -EEXIST, 0]);
      expect(existsSync(join(scratch, 'never'))).toBe(false);
    });

    test('what is not a program is refused', async () => {
      const shim = join(BUILT, `mayfly-shim-${architecture}`);
      const argv = architecture === process.arch ? [shim] : ['qemu-aarch64', shim];
      const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
      (child.stdio[3] as Socket).write(encodeFrame(FRAMES.program, Buffer.alloc(200, 0xff)));
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(125);
    });
  });
}
