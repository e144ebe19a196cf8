/** Brings the generated part of README.md up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../src/cli/table.ts';
import { withCommandTable } from './command-table.ts';

const path = join(import.meta.dirname, '../README.md');
writeFileSync(path, withCommandTable(readFileSync(path, 'utf8'), COMMANDS));
