import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import type { Invocation } from '../command.ts';
import { alignColumns } from '../output.ts';

export async function run({ output }: Invocation): Promise<number> {
  const rows = [
    ['Node:', process.version],
    ['OS/Arch:', `${process.platform}/${process.arch}`],
    ['Kernel:', release()],
  ];
  output.print(`mayfly ${readVersion()}`);
  for (const line of alignColumns(rows, 1)) output.print(` ${line}`);
  return 0;
}

/** The version of this package; its package.json is at another distance from the sources than from the build. */
export function readVersion(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
