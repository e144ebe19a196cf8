import { ARM64 } from './arm64.ts';
import { IA32 } from './ia32.ts';
import { X64 } from './x64.ts';

/** Architectures that mayfly runs on, in Node's words (process.arch). */
export type Architecture = 'x64' | 'arm64';

/** Application binary interfaces whose numbers are known; ia32 only for filters. */
export type Abi = Architecture | 'ia32';

const TABLES: Readonly<Record<Abi, Readonly<Record<string, number>>>> = {
  x64: X64,
  arm64: ARM64,
  ia32: IA32,
};

/** The number of a system call, or undefined when that ABI has none of that name. */
export function syscallNumber(abi: Abi, name: string): number | undefined {
  return TABLES[abi][name];
}

/** All system calls of an ABI. */
export function syscallTable(abi: Abi): Readonly<Record<string, number>> {
  return TABLES[abi];
}
