import { release } from 'node:os';
import type { Invocation } from '../command.ts';
import { alignColumns } from '../output.ts';
import { readVersion } from '../version.ts';

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
