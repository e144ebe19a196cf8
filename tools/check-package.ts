/**
 * Packs the build, installs it into an empty project with neither install scripts nor a compiler at hand, and uses it
 * there: its types under a strict compiler, its command line, then a container.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { dirSync } from 'tmp-promise';

const PROGRAM = `import { startContainer } from 'mayfly';
const postgres = await startContainer('postgres');
const { exitCode, stdout } = await postgres.exec(['postgres', '--version']);
await postgres.stop();
console.log(stdout.trim());
if (exitCode !== 0) throw new Error(\`postgres --version exited with \${exitCode}\`);
`;

const root = join(import.meta.dirname, '..');
const { name: directory, removeCallback } = dirSync({ prefix: 'mayfly-package-', unsafeCleanup: true });
const project = join(directory, 'project');
const bin = join(directory, 'bin');

try {
  const packed = execaSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], {
    cwd: root,
  });
  const [{ filename, size, files }] = JSON.parse(packed.stdout) as [
    { filename: string; size: number; files: { path: string }[] },
  ];
  console.log(`${filename}: ${files.length} files, ${size} bytes`);
  const shim = `dist/shim/mayfly-shim-${process.arch}`;
  if (!files.some(({ path }) => path === shim)) throw new Error(`the package lacks ${shim}`);

  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(project, 'program.mjs'), PROGRAM);
  writeFileSync(join(project, 'program.mts'), PROGRAM);

  // npm needs nothing else; in particular it finds no compiler.
  mkdirSync(bin);
  const npm = execaSync('sh', ['-c', 'command -v npm']).stdout;
  for (const [name, path] of Object.entries({ node: process.execPath, npm, sh: '/bin/sh' }))
    symlinkSync(path, join(bin, name));
  execaSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(directory, filename)], {
    cwd: project,
    env: { PATH: bin },
    stdio: 'inherit',
  });

  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,esnext.disposable'];
  execaSync(process.execPath, [compiler, ...options, '--module', 'nodenext', 'program.mts'], {
    cwd: project,
    stdio: 'inherit',
  });
  execaSync('npm', ['exec', '--offline', '--', 'mayfly', 'version'], {
    cwd: project,
    env: { PATH: bin },
    stdio: 'inherit',
  });
  execaSync(process.execPath, ['program.mjs'], { cwd: project, stdio: 'inherit' });
} finally {
  removeCallback();
}
