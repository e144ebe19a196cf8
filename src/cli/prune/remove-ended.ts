import { getContainer } from '../../containers/find.ts';
import { listContainers } from '../../containers/list.ts';
import { isMayflyError } from '../../support/error.ts';

/** Removes all containers that do not run. Returns their ids. */
export async function removeEnded(): Promise<string[]> {
  const removed: string[] = [];
  for (const { id, status } of await listContainers({ all: true })) {
    if (status === 'running') continue;
    try {
      await using container = await getContainer(id);
      await container.remove();
      removed.push(id);
    } catch (error) {
      // Somebody else was faster, or has started it again.
      if (!isMayflyError(error, 'container.not-found') && !isMayflyError(error, 'container.running'))
        throw error;
    }
  }
  return removed;
}
