import { listContainerIds } from '../runtime/state/container-store.ts';
import { MayflyError } from '../support/error.ts';
import type { Home } from '../support/home.ts';
import type { ContainerParts } from './container-parts.ts';
import type { Engine } from './engine.ts';
import { findName } from './names.ts';
import { notFound } from './not-found.ts';
import { openContainer } from './open-container.ts';
import { settleChange } from './pending-change.ts';

/**
 * What a handle is made of, of any container of this home: by name, by id, or by the beginning of one.
 *
 * @throws MayflyError `container.not-found`, `container.ambiguous-id`, `container.unreadable-record`
 */
export async function findContainer(engine: Engine, idOrName: string): Promise<ContainerParts> {
  const id = locateId(engine.home, idOrName);
  if (id !== undefined) await settleChange(engine, id);
  const parts = id === undefined ? undefined : openContainer(engine, id);
  if (parts === undefined) throw notFound(idOrName);
  return parts;
}

/** The id of a container that has a directory. @throws MayflyError `container.ambiguous-id` */
export function locateId(home: Home, idOrName: string): string | undefined {
  return findName(home, idOrName) ?? completeId(home, idOrName);
}

function completeId(home: Home, prefix: string): string | undefined {
  const ids = prefix === '' ? [] : listContainerIds(home).filter((id) => id.startsWith(prefix));
  if (ids.length > 1) {
    throw new MayflyError(
      'container.ambiguous-id',
      `${ids.length} containers have an id that begins with ${prefix}`,
      {
        hint: 'give more digits',
      },
    );
  }
  return ids[0];
}
