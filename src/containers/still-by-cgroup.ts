import { freeze, freezeFile, thaw } from '../kernel/cgroups/freeze.ts';
import type { Places } from '../kernel/cgroups/places.ts';
import { closeDescriptor, openDescriptor } from '../kernel/ffi/descriptor.ts';
import { O } from '../kernel/mounts/flags.ts';
import { FIRST_FREE_FD } from '../kernel/program/abi.ts';
import { startOutliving } from '../runtime/launch/outliving.ts';
import type { ContainerParts } from './container-parts.ts';

/**
 * Does something while a container's cgroup is frozen. One that ends with this process needs nobody else; any other goes on when this
 * process is killed meanwhile.
 *
 * @throws MayflyError `wait.timeout`
 */
export async function stillByCgroup<T>(
  parts: ContainerParts,
  { places, work }: { places: Places; work: () => Promise<T> },
): Promise<T> {
  const { run, record } = parts;
  const endsWithUs = run.ours && !record.spec.detached;
  // Before it is frozen, so that there is no instant at which nobody would let it go on.
  const thaws = endsWithUs ? undefined : await startThawing(parts, places);
  try {
    await freeze(places);
    return await work();
  } finally {
    if (thaws === undefined) thaw(places);
    // Not by us, too: a later write of its would undo a pause that comes after this.
    else await thaws.finish();
  }
}

async function startThawing({ engine }: ContainerParts, places: Places) {
  const file = openDescriptor(freezeFile(places), O.O_WRONLY | O.O_CLOEXEC);
  try {
    return await startOutliving({
      binary: engine.binary,
      passed: file,
      label: 'thaw',
      last: (section) =>
        section.call('write', [FIRST_FREE_FD + 1, '0', 1], {
          what: 'thaw the container',
          tolerate: ['ENODEV'],
        }),
    });
  } finally {
    closeDescriptor(file);
  }
}
