import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';

/** The C program of floor.c, waiting for the word to start one more container. */
export interface Floor extends AsyncDisposable {
  /** Milliseconds from clone to the success of execve. */
  sample(): Promise<number>;
}

/**
 * Compiles and starts the floor on a root file system. It runs in a network namespace of its own, with a bridge of its
 * own, so nothing of the host changes.
 */
export async function openFloor(lowerdir: string, scratch: string): Promise<Floor> {
  mkdirSync(scratch, { recursive: true });
  const binary = join(scratch, 'floor');
  await execa('gcc', [
    '-O2',
    '-Wall',
    '-Wno-unused-result',
    '-o',
    binary,
    // npm runs scripts in the root of the package; tsc leaves this one where it is.
    'test/bench/floor.c',
  ]);
  const script = `echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link add mfbr type bridge && ip link set mfbr up && exec ${binary} ${lowerdir} ${scratch} mfbr sleep 1000`;
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    'unshare',
    ['--net', 'sh', '-c', script],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = linesOf(child.stdout);
  return {
    async sample() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error('the floor has ended');
      return Number(value) / 1000;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await new Promise((resolve) =>
        child.exitCode === null ? child.once('exit', resolve) : resolve(undefined),
      );
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

function linesOf(stream: Readable): AsyncIterator<string> {
  const reader: Interface = createInterface({ input: stream });
  return reader[Symbol.asyncIterator]();
}
