import { call } from '../ffi/libc.ts';

const RLIMIT_NOFILE = 7;

/** How many descriptors a process may have (getrlimit(2)); Infinity for no limit. */
export function openFilesLimits(): { soft: number; hard: number } {
  const limits = Buffer.alloc(16);
  call('getrlimit', [RLIMIT_NOFILE, limits], 'read the limit of open files');
  const read = (offset: number) => {
    const value = limits.readBigUInt64LE(offset);
    return value === 0xffff_ffff_ffff_ffffn ? Number.POSITIVE_INFINITY : Number(value);
  };
  return { soft: read(0), hard: read(8) };
}
