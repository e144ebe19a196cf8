import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mayfly-once-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const module_ = JSON.stringify(join(import.meta.dirname, '../../../../src/images/store/once.ts'));

/** A process that wants the result; `build` is the body of its builder. */
function wanting(build: string) {
  const script = `
    const fs = require('node:fs');
    const result = ${JSON.stringify(join(directory, 'result'))}, built = ${JSON.stringify(join(directory, 'built'))};
    import(${module_}).then(async ({ once }) => {
      const lookup = async () => (fs.existsSync(result) ? fs.readFileSync(result, 'utf8') : undefined);
      const build = async () => { fs.appendFileSync(built, 'x'); ${build} fs.writeFileSync(result, 'made'); return 'made'; };
      console.log(await once(${JSON.stringify(join(directory, 'lock'))}, { lookup, build }));
    });`;
  return promisify(execFile)(process.execPath, ['--import', 'tsx', '--eval', script]);
}

test('many processes want it, one makes it, all have it', { timeout: 60_000 }, async () => {
  const slowly = 'await new Promise((resolve) => setTimeout(resolve, 200));';
  const outputs = await Promise.all([1, 2, 3, 4, 5].map(() => wanting(slowly)));
  expect(outputs.map(({ stdout }) => stdout.trim())).toEqual(['made', 'made', 'made', 'made', 'made']);
  expect(readFileSync(join(directory, 'built'), 'utf8')).toBe('x');
});

test('when the maker is killed, the next one takes over', { timeout: 60_000 }, async () => {
  await expect(wanting(`process.kill(process.pid, 'SIGKILL');`)).rejects.toMatchObject({ signal: 'SIGKILL' });
  expect((await wanting('')).stdout.trim()).toBe('made');
});
