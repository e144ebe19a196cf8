/**
 * Compiles the shim into build/shim/: for this machine always, for the other architecture when its cross compiler is
 * installed. `--sanitize` builds the hosted variant under AddressSanitizer and UBSan instead.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { renderAbiHeader } from '../src/kernel/program/abi.ts';

const COMPILERS: Record<string, string> = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };
const WARNINGS = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Wno-unused-function'];
const FREESTANDING = ['-Os', '-static', '-nostdlib', '-ffreestanding', '-fno-stack-protector', '-fno-builtin',
  '-fno-asynchronous-unwind-tables', '-fno-pic', '-no-pie', '-Wl,--build-id=none', '-Wl,-z,noexecstack', '-s']; // biome-ignore format: one list
const SANITIZED = [
  '-g',
  '-O1',
  '-DMAYFLY_HOSTED',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-static-libasan',
];

const root = join(import.meta.dirname, '..');
const sources = join(root, 'src/kernel/shim');
const target = join(root, 'build/shim');
mkdirSync(target, { recursive: true });
writeFileSync(join(target, 'abi.h'), renderAbiHeader());
const files = readdirSync(sources)
  .filter((file) => file.endsWith('.c'))
  .map((file) => join(sources, file));

function compile(compiler: string, flags: readonly string[], name: string): void {
  execaSync(compiler, [...WARNINGS, ...flags, '-I', target, '-o', join(target, name), ...files], {
    stdio: 'inherit',
  });
  console.log(`built build/shim/${name}`);
}

function installed(compiler: string): boolean {
  return execaSync(compiler, ['--version'], { reject: false, stdio: 'ignore' }).exitCode === 0;
}

if (process.argv.includes('--sanitize')) {
  compile('gcc', SANITIZED, `mayfly-shim-${process.arch}-sanitized`);
} else {
  for (const [arch, cross] of Object.entries(COMPILERS)) {
    const compiler = arch === process.arch ? 'gcc' : cross;
    if (installed(compiler)) compile(compiler, FREESTANDING, `mayfly-shim-${arch}`);
    else if (arch === process.arch) throw new Error('no C compiler: apt-get install gcc libc6-dev');
    else console.log(`skipped build/shim/mayfly-shim-${arch}: ${cross} is not installed`);
  }
}
