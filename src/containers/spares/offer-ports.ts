import { findForwarder, forwarderGone, StillForwarder } from '../../networks/forwarder-process.ts';
import { keepPorts } from '../../networks/kept-ports.ts';
import type { ContainerParts } from '../container-parts.ts';

/** Published ports that a spare's forwarder has been given. When this is disposed of, the container's goes on unless it has been ended. */
export interface OfferedPorts extends Disposable {
  /** The spare's forwarder takes connections from now on, and those of the container's end. @throws SystemError EPIPE */
  passOn(): void;
}

/**
 * Gives a container's published ports to the spare that is about to get its address. Until they are passed on nobody takes
 * connections: who connects waits. All that can go wrong does so here, where the container can still have everything back.
 *
 * @throws MayflyError `network.forwarder-gone`; SystemError
 */
export function offerPorts(from: ContainerParts, to: ContainerParts): OfferedPorts {
  const { published, shimPid, attachment } = from.record;
  if (published.length === 0) return { passOn: () => {}, [Symbol.dispose]: () => {} };
  const supervisors = { shimPid, initPid: from.run.pid };
  using kept = keepPorts(published, supervisors);
  const { adoption } = to.run;
  if (adoption === undefined) throw forwarderGone();
  const former = new StillForwarder(findForwarder(supervisors));
  try {
    adoption.offer(kept, attachment.ip!);
  } catch (error) {
    former[Symbol.dispose]();
    throw error;
  }
  return {
    passOn: () => {
      adoption.begin();
      former.end();
    },
    [Symbol.dispose]: () => former[Symbol.dispose](),
  };
}
