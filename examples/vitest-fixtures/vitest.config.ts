import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['*.test.ts'],
    // The first run makes the image and the seed; later ones take milliseconds.
    testTimeout: 300_000,
  },
});
