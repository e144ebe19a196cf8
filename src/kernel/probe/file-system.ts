import { constants, copyFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf, type Outcome, WORKS } from './throwaway.ts';

/** Copies a file inside `directory` by sharing its blocks, which btrfs, xfs and bcachefs can (ioctl_ficlone(2)). */
export function shareBlocks(directory: string): Outcome {
  const [from, to] = [join(directory, 'reflink-from'), join(directory, 'reflink-to')];
  try {
    writeFileSync(from, 'mayfly');
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
    return WORKS;
  } catch (error) {
    return failureOf(error);
  } finally {
    rmSync(from, { force: true });
    rmSync(to, { force: true });
  }
}

export interface Space {
  readonly bytes: number;
  /** Infinity where the file system makes them as they are needed. */
  readonly inodes: number;
}

/** What is left for ordinary users on the file system of a path. */
export function freeSpace(path: string): Space {
  const { bavail, bsize, files, ffree } = statfsSync(path);
  return { bytes: bavail * bsize, inodes: files === 0 ? Number.POSITIVE_INFINITY : ffree };
}
