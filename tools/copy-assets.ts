/** Copies what tsc does not: the shims, and the shell scripts that presets put into images. */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

for (const file of readdirSync(join(root, 'presets'), { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('.sh')) copy(join(root, 'presets', file), join(root, 'dist/presets', file));
}
for (const file of readdirSync(join(root, 'build/shim'))) {
  if (/^mayfly-shim-(x64|arm64)$/.test(file))
    copy(join(root, 'build/shim', file), join(root, 'dist/shim', file));
}
