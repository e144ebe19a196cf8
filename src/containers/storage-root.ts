import { statSync } from 'node:fs';
import { insideOf } from '../kernel/namespaces/id-map.ts';
import type { IdSpec, RootfsSpec } from '../runtime/spec/container-spec.ts';
import { ownIdMaps } from '../runtime/userns/own-ids.ts';

/**
 * What the upper on a storage of limited size is to be: what the one on the disk is, over which it is mounted, in ids of whoever makes
 * it.
 */
export function storageRootOf(upper: string, ids: IdSpec): RootfsSpec['storageRoot'] {
  const { mode, uid, gid } = statSync(upper);
  const root = { mode: mode & 0o7777, uid, gid };
  if (ids.kind !== 'user') return root;
  const { uids, gids } = ownIdMaps();
  return { ...root, uid: insideOf(uid, uids), gid: insideOf(gid, gids) };
}
