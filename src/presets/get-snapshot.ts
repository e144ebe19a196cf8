import type { Container } from '../containers/container.ts';
import { getSnapshot as findSnapshot } from '../containers/snapshots/find.ts';
import { Snapshot } from '../containers/snapshots/snapshot.ts';
import { isPresetName, presetByName } from './by-name.ts';
import { presetService } from './preset-service.ts';

/**
 * A snapshot by its name, its id, or the beginning of its id that no other has, whichever process has taken it.
 *
 * A container that is started from one of a preset that comes with the package is what the preset's are: ready when the service is,
 * with a `url`. Of any other it is not known in this process when it is ready: give `start` a `waitFor`.
 *
 * @throws MayflyError `snapshot.not-found`, `snapshot.ambiguous-id`, `snapshot.unreadable-record`
 */
export async function getSnapshot<C extends Container = Container>(nameOrId: string): Promise<Snapshot<C>> {
  const { parts } = await findSnapshot(nameOrId);
  const origin = parts.record.service;
  if (origin === undefined || !isPresetName(origin.preset)) return new Snapshot<C>(parts);
  const preset = await presetByName(origin.preset);
  // Another version's options may mean something else.
  if (preset.version !== origin.version) return new Snapshot<C>(parts);
  return new Snapshot<C>({ ...parts, ...presetService(preset, { options: origin.options, common: {} }) });
}
