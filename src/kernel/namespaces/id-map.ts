import { writeFileSync } from 'node:fs';
import type { IdRange } from '../probe/subordinate-ids.ts';

/** `count` ids from `inside` on in a user namespace are those from `outside` on in the one around it. */
export interface MappedRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** user_namespaces(7), "User and group ID mappings". */
export interface IdMaps {
  readonly uids: readonly MappedRange[];
  readonly gids: readonly MappedRange[];
}

/** Root inside is `own`, and the ids after it are the ranges, one after the other. */
export function mapWithOwn(own: number, ranges: readonly IdRange[]): MappedRange[] {
  let inside = 1;
  const mapped = ranges.map(({ first, count }) => {
    const from = inside;
    inside += count;
    return { inside: from, outside: first, count };
  });
  return [{ inside: 0, outside: own, count: 1 }, ...mapped];
}

/** The id in a user namespace that is `id` outside. What is not mapped is root's. */
export function insideOf(id: number, ranges: readonly MappedRange[]): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range === undefined ? 0 : id - range.outside + range.inside;
}

/** Sets the maps of a process's user namespace, once and for all, as root may. @throws Node's errors */
export function writeMaps(pid: number, { uids, gids }: IdMaps): void {
  const text = (ranges: readonly MappedRange[]) =>
    ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join('');
  writeFileSync(`/proc/${pid}/uid_map`, text(uids));
  writeFileSync(`/proc/${pid}/gid_map`, text(gids));
}
