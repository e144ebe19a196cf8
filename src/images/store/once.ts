import { type LockOptions, withFileLock } from '../../kernel/processes/file-lock.ts';

/**
 * An expensive result that many processes want: looked up, and made by one of them when it is not there.
 *
 * The others wait on the lock, which is the kernel's: when the maker dies, the next one takes over.
 */
export async function once<T>(
  lockPath: string,
  { lookup, build }: { lookup: () => Promise<T | undefined>; build: () => Promise<T> },
  options: LockOptions = {},
): Promise<T> {
  const present = await lookup();
  if (present !== undefined) return present;
  // Somebody may have made it while we waited.
  return withFileLock(lockPath, async () => (await lookup()) ?? build(), options);
}
