import { defineConfig } from 'vitest/config';

// The condition under which `import 'mayfly'` means the sources here, not the build.
const conditions = ['mayfly-source', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    reporters: ['default', './test/skip-reporter.ts'],
    testTimeout: 60_000,
    hookTimeout: 600_000,
  },
});
