import { freeze } from '../../kernel/cgroups/freeze.ts';
import { cgroupMembers } from '../../kernel/cgroups/members.ts';
import { findPlaces } from '../../kernel/cgroups/places.ts';
import { debugLog } from '../../support/debug.ts';
import type { ContainerParts } from '../container-parts.ts';
import { innerPid } from '../inner-process.ts';
import { endForwarder } from '../kept-place.ts';
import { signalContainer } from '../stop.ts';
import { mayOverlap } from './overlap.ts';

const debug = debugLog('successors');
const SIGKILL = 9;
/** Milliseconds that processes have to stand still in; as long as that lasts nobody is served. */
const PATIENCE = 100;

/**
 * Has the processes of a running container make room for the next ones. Where those may begin beside them they only stand still: all that
 * the kernel has to take apart would compete with what begins. Otherwise they have been killed. Who is connected notices.
 *
 * Result: whether they stand still, for whoever began this to end them.
 *
 * @throws MayflyError `network.forwarder-gone`
 */
export async function leavePlace(parts: ContainerParts): Promise<boolean> {
  if (parts.record.published.length > 0) endForwarder(parts);
  // What outlives us is to be killed at once: nobody would let it go on, or end it, without us.
  const stands = !parts.record.spec.detached && mayOverlap(parts.record) && (await standsAside(parts));
  if (!stands) killTree(parts);
  return stands;
}

async function standsAside(parts: ContainerParts): Promise<boolean> {
  const { engine, record } = parts;
  const places = findPlaces(engine.hierarchies, record.spec.cgroup.name);
  try {
    await freeze(places, { within: PATIENCE });
    const pids = cgroupMembers(places);
    return pids !== undefined && engine.networks.vacate({ pids, pid: innerPid(parts) });
  } catch (error) {
    debug('%s is not replaced before it has ended: %s', record.name, error);
    return false;
  }
}

/** Nothing of it is to be kept, so nobody has to be asked to end in order. */
export function killTree(parts: ContainerParts): void {
  parts.run.supervision.ref();
  signalContainer(parts, SIGKILL);
}
