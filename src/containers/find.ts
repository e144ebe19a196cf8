import { listContainerIds } from '../runtime/state/container-store.ts';
import { MayflyError } from '../support/error.ts';
import type { Home } from '../support/home.ts';
import { Container } from './container.ts';
import { openEngine } from './engine.ts';
import { findName } from './names.ts';
import { notFound } from './not-found.ts';
import { openContainer } from './open-container.ts';

/**
 * A handle on any container of this home, running or not, whichever process has started it: by its name, its id, or the
 * beginning of its id that no other has.
 *
 * The end of an `await using` block lets go of the handle; the container goes on.
 *
 * @throws MayflyError `container.not-found`, `container.ambiguous-id`, `container.unreadable-record`
 */
export async function getContainer(idOrName: string): Promise<Container> {
  const engine = openEngine();
  const parts = openContainer(engine, findName(engine.home, idOrName) ?? completeId(engine.home, idOrName));
  if (parts === undefined) throw notFound(idOrName);
  return new Container(parts);
}

function completeId(home: Home, prefix: string): string {
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
  if (ids[0] === undefined) throw notFound(prefix);
  return ids[0];
}
