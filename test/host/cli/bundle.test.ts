import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DEFAULT_CAPABILITIES } from '../../../src/runtime/compile/capabilities.ts';
import { SeccompFilters } from '../../../src/runtime/compile/seccomp-filters.ts';

const BUNDLE = join(import.meta.dirname, '../../../dist/cli/run.js');

test.each(['x64', 'arm64'] as const)(
  'the filter that the bundle brings for %s is the one that is compiled',
  (arch) => {
    const filter = Buffer.from(new SeccompFilters(arch).filter('default', DEFAULT_CAPABILITIES)!);
    expect(readFileSync(BUNDLE, 'latin1')).toContain(`"${arch}":"${filter.toString('base64')}"`);
  },
);
