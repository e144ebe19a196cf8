import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { TestProject } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/** Of what lies in there, some are programs. */
const FIXTURES = 'test/fixtures';
const WORKER = 'src/files/worker';
const PROGRAMS = ['src/cli/mayfly.ts', `${WORKER}.ts`, join(FIXTURES, 'registry/pull-victim.ts')];

/** Packed code finds its files (the shim, scripts, package.json) where its sources lie. */
const whereItLies: Plugin = {
  name: 'where-it-lies',
  setup({ onLoad }) {
    onLoad({ filter: /\/(src|presets|test)\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replaceAll('import.meta.filename', JSON.stringify(path))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path))),
      loader: 'ts',
      resolveDir: dirname(path),
    }));
  },
};

/**
 * Packs the programs that tests run, each with what it imports: from the sources one needs 300 to 1,000 ms to begin, and there are
 * some thousand of them in a run. They are told of by the environment; see fixtures/program.ts.
 */
export default async function packPrograms(_: TestProject): Promise<() => void> {
  const directory = join(root, 'build', `test-programs-${process.pid}`);
  const fixtures = readdirSync(join(root, FIXTURES)).filter((name) => name.endsWith('.ts'));
  const programs = [...PROGRAMS, ...fixtures.map((name) => join(FIXTURES, name))];
  await build({
    absWorkingDir: root,
    entryPoints: programs,
    outbase: '.',
    outdir: directory,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['mayfly-source'],
    // What is CommonJS asks for its own with `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    external: ['koffi', 'undici', 'vitest', 'esbuild', 'tsx'],
    sourcemap: 'inline',
    plugins: [whereItLies],
    logLevel: 'warning',
  });
  process.env.MAYFLY_TEST_PROGRAMS = directory;
  process.env.MAYFLY_WORKER = join(directory, `${WORKER}.js`);
  return () => rmSync(directory, { recursive: true, force: true });
}
