import { listContainerIds } from '../../runtime/state/container-store.ts';
import type { Home } from '../../support/home.ts';
import { readRecord } from '../container-record.ts';
import { readSnapshots } from '../snapshots/snapshot-record.ts';

/**
 * diffIDs of the layers that containers of this home stand on, running or ended, whoever started them, and snapshots.
 *
 * @throws MayflyError `container.unreadable-record`, because what cannot be read may need any layer
 */
export function layersInUse(home: Home): ReadonlySet<string> {
  return new Set([
    ...listContainerIds(home).flatMap((id) => readRecord(home, id)?.image.layers ?? []),
    ...readSnapshots(home).flatMap(({ image }) => image.layers),
  ]);
}
