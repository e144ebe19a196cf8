/**
 * Packs the command line and what it needs into few files, dist/cli: a process of it lives for some tens of milliseconds, and opening
 * 700 files takes 300. The library in dist/src stays as it is.
 *
 * The files are CommonJS, because Node 20 takes 5 ms more to load the first ES module.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build, type Plugin, transform } from 'esbuild';
import { DEFAULT_CAPABILITIES } from '../src/runtime/compile/capabilities.ts';
import { SeccompFilters } from '../src/runtime/compile/seccomp-filters.ts';
import { joinOutputs, takeFromJoined } from './join-outputs.ts';

const root = join(import.meta.dirname, '..');
const target = join(root, 'dist/cli');
const entry = 'src/cli/bundled.ts';
/** What the entry knows the bundle's content by, once there is one. */
const CONTENT = '<content>';
/** In the order in which they are loaded: what is in one of them is not in a later one. */
const groups = [
  { name: 'mayfly.js', sources: [entry] },
  { name: 'common.js', sources: ['src/cli/mayfly.ts', 'src/cli/main.ts', 'src/cli/table.ts'] },
  { name: 'run.js', sources: ['src/cli/commands/run.ts'] },
  { name: 'container.js', sources: ['src/containers/container.ts', 'src/cli/container/stay.ts'] },
];

/** Code in the bundle finds its files (workers, shims, scripts) where the build has them, not where the bundle lies. */
const whereBuilt: Plugin = {
  name: 'where-built',
  setup({ onLoad }) {
    onLoad({ filter: /\/(src|presets)\/.*\.ts$/ }, ({ path }) => {
      const built = relative(target, join(root, 'dist', relative(root, path))).replace(/\.ts$/, '.js');
      const file = `require('node:path').join(__dirname, ${JSON.stringify(built)})`;
      const contents = readFileSync(path, 'utf8')
        .replace(/^#!.*\n/, '')
        .replaceAll('import.meta.filename', file)
        .replaceAll('import.meta.dirname', `require('node:path').dirname(${file})`)
        .replaceAll('import.meta.url', `require('node:url').pathToFileURL(${file}).href`)
        // The object z holds all of zod, its 50 languages too; of a module the bundler takes what is used.
        .replace(
          /import (type )?\{ (ZodError, )?z \} from '(.*\/zod\.ts)'/,
          (_, type = '', error = '', file) =>
            `import ${type}* as z from 'zod/mini'; import { ${error} } from '${file}'`,
        );
      return { contents, loader: 'ts', resolveDir: dirname(path) };
    });
  },
};

/**
 * koffi's own loader reads Node's ELF header and passes through six files, for 5 ms, to find out which of its binaries to load. It is
 * asked where the likely one is not there or does not load: with musl, or when koffi's packages lie elsewhere.
 */
const koffiBinary: Plugin = {
  name: 'koffi-binary',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^koffi$/ }, ({ path, namespace }) =>
      namespace === 'koffi' ? { path, external: true } : { path, namespace: 'koffi' },
    );
    onLoad({ filter: /./, namespace: 'koffi' }, () => ({
      contents: `
        const { arch } = process;
        try {
          module.exports = require(\`@koromix/koffi-linux-\${arch}/linux_\${arch}/koffi.node\`);
        } catch {
          module.exports = require('koffi');
        }`,
      resolveDir: root,
    }));
  },
};

const compiledFilter = (arch: 'x64' | 'arm64') =>
  Buffer.from(new SeccompFilters(arch).filter('default', DEFAULT_CAPABILITIES)!).toString('base64');
/** A string, because the bundler puts an object into a module that all others load. */
const compiledFilters = JSON.stringify({ x64: compiledFilter('x64'), arm64: compiledFilter('arm64') });

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: { mayfly: entry },
  outdir: target,
  bundle: true,
  splitting: true,
  write: false,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['mayfly-source'],
  define: {
    BUNDLE_CONTENT: JSON.stringify(CONTENT),
    COMPILED_FILTERS: JSON.stringify(compiledFilters),
  },
  // Loaded by who speaks with a registry.
  external: ['undici'],
  plugins: [whereBuilt, koffiBinary],
  logLevel: 'warning',
});

const { files, joined } = await joinOutputs(
  new Map(outputFiles.map(({ path, text }) => [basename(path), text])),
  { metafile, groups },
);

const code = new Map<string, string>();
for (const [name, text] of files) {
  const transformed = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minifyWhitespace: true,
    minifySyntax: true,
    supported: { 'dynamic-import': false },
  });
  code.set(name, takeFromJoined(transformed.code, joined));
}
const content = createHash('sha256')
  .update(JSON.stringify([...code]))
  .digest('hex')
  .slice(0, 12);

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const [name, text] of code) {
  if (name !== 'mayfly.js') writeFileSync(join(target, name), text);
  else
    writeFileSync(join(target, name), `#!/usr/bin/env node\n${text.replace(CONTENT, content)}`, {
      mode: 0o755,
    });
}
writeFileSync(join(target, 'package.json'), '{ "type": "commonjs" }\n');
writeFileSync(join(target, 'LICENSES'), licences(Object.keys(metafile.inputs)));

/** The licences of the packages in the bundle, which ask to go where it goes. */
function licences(inputs: readonly string[]): string {
  const packages = new Set(
    inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  );
  return [...packages]
    .sort()
    .map((directory) => {
      const path = join(root, directory);
      const file = readdirSync(path).find((name) => /^licen[cs]e/i.test(name));
      const name = directory.replace(/^.*node_modules\//, '');
      if (file !== undefined) return `${name}\n\n${readFileSync(join(path, file), 'utf8').trim()}\n`;
      const { license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as {
        license?: string;
      };
      if (license === undefined) throw new Error(`${name} has no licence`);
      return `${name}\n\n${license}\n`;
    })
    .join('\n');
}
