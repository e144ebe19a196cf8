/** Where the bundle begins, dist/cli/mayfly.js; the sources begin with mayfly.ts. */
import { locateHome } from '../support/home.ts';
import { enableCompileCache } from './compile-cache.ts';

/** Made by tools/bundle-cli.ts, of all files of the bundle. */
declare const BUNDLE_CONTENT: string;

enableCompileCache({
  // The bundle is CommonJS.
  bundle: __dirname,
  cache: locateHome().cache,
  key: `${process.version}-${process.arch}-${BUNDLE_CONTENT}`,
  command: /^[a-z]+$/.exec(process.argv[2] ?? '')?.[0] ?? 'none',
  common: 'common.js',
});

// What `z.config({ jitless: true })` sets, which would have to load zod: functions made to check a value fast take longer to make
// than a process that checks one of each kind has use for them.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

void import('./mayfly.ts');
