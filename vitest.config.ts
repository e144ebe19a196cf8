import { defineConfig } from 'vitest/config';

// The condition under which `import 'mayfly'` means the sources here, not the build.
const conditions = ['mayfly-source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: './test/pack-programs.ts',
    pool: 'forks',
    // Suites count what the whole machine has left over; two at once would count each other.
    fileParallelism: false,
    reporters: ['default', './test/skip-reporter.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    // CI's machines are shared, and may stand still for seconds; the report says what was tried twice.
    retry: process.env.CI === 'true' ? 1 : 0,
  },
});
