import { Container } from './container.ts';
import { openEngine } from './engine.ts';
import { findContainer } from './locate.ts';

/**
 * A handle on any container of this home, running or not, whichever process has started it: by its name, its id, or the
 * beginning of its id that no other has.
 *
 * The end of an `await using` block lets go of the handle; the container goes on.
 *
 * @throws MayflyError `container.not-found`, `container.ambiguous-id`, `container.unreadable-record`
 */
export async function getContainer(idOrName: string): Promise<Container> {
  return new Container(await findContainer(openEngine(), idOrName));
}
