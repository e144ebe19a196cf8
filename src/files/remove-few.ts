import { lstatSync, opendirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What the kernel removes within a millisecond or two. */
const FEW = { entries: 64, bytes: 4 << 20 };

/**
 * Removes a directory in which there is little, at once: less work than that Node's threads start, wake up and end. True when it has gone.
 * What is left where there is more, or where something fails, is the caller's to remove in another way.
 */
export function removeFew(directory: string): boolean {
  try {
    return clear(directory, { ...FEW });
  } catch {
    return false;
  }
}

function clear(directory: string, left: { entries: number; bytes: number }): boolean {
  const paths: string[] = [];
  const opened = opendirSync(directory, { bufferSize: FEW.entries });
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      left.entries -= 1;
      if (left.entries < 0) return false;
      paths.push(join(directory, entry.name));
    }
  } finally {
    opened.closeSync();
  }
  for (const path of paths) {
    const stat = lstatSync(path);
    if (stat.isDirectory()) {
      if (!clear(path, left)) return false;
      continue;
    }
    left.bytes -= stat.size;
    if (left.bytes < 0) return false;
    unlinkSync(path);
  }
  rmdirSync(directory);
  return true;
}
