import { closeSync, openSync } from 'node:fs';
import { MayflyError } from '../support/error.ts';
import type { ContainerOptions, SharedNamespace } from './container-options.ts';
import type { Engine } from './engine.ts';
import { innerPid } from './inner-process.ts';
import { findContainer } from './locate.ts';
import { requireRunning } from './running.ts';

/** Open namespaces of other containers, by their meaning in the shim. */
export interface SharedNamespaces extends Disposable {
  readonly fds: { readonly sharedIpc?: number; readonly sharedPid?: number; readonly sharedMounts?: number };
}

/**
 * Opens the namespaces that the options share.
 *
 * @throws MayflyError `container.not-found`, `option.invalid`; ContainerError `container.exited` when the other one has ended
 */
export async function openSharedNamespaces(
  engine: Engine,
  { ipc, pid, init }: Pick<ContainerOptions, 'ipc' | 'pid' | 'init'>,
): Promise<SharedNamespaces> {
  const opened: number[] = [];
  const close = () => {
    for (const fd of opened.splice(0)) closeSync(fd);
  };
  const open = async ({ container }: SharedNamespace, ...names: string[]) => {
    const parts = await findContainer(engine, container);
    const doing = `sharing its ${names[0]} namespace`;
    await requireRunning(parts, doing);
    const process = innerPid(parts);
    const fds = names.map((name) => openSync(`/proc/${process}/ns/${name}`, 'r'));
    opened.push(...fds);
    // Again, now that they are open: while the container runs, the number is its process's.
    await requireRunning(parts, doing);
    return fds;
  };
  try {
    let fds: SharedNamespaces['fds'] = {};
    if (typeof ipc === 'object') {
      const [sharedIpc, sharedMounts] = await open(ipc, 'ipc', 'mnt');
      fds = { ...fds, sharedIpc: sharedIpc!, sharedMounts: sharedMounts! };
    }
    if (typeof pid === 'object') {
      if (init === false) {
        throw new MayflyError(
          'option.invalid',
          'a container cannot be PID 1 among the processes of another',
          {
            hint: 'leave out init: false, or pid',
          },
        );
      }
      if (engine.hierarchies.v2 === undefined) {
        throw new MayflyError(
          'cgroup.controller-missing',
          'sharing processes takes cgroup2, which is not mounted here',
          {
            hint: 'without it, nobody could end them all when the container ends',
          },
        );
      }
      const [sharedPid] = await open(pid, 'pid');
      fds = { ...fds, sharedPid: sharedPid! };
    }
    return { fds, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}
