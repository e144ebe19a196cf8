import { isEnding } from '../kernel/processes/process-identity.ts';
import type { Attachment } from '../networks/attachment.ts';
import { findForwarder, StillForwarder } from '../networks/forwarder-process.ts';
import { keepPorts } from '../networks/kept-ports.ts';
import type { Publication } from '../networks/publish.ts';
import type { ContainerParts } from './container-parts.ts';
import { innerPid } from './inner-process.ts';

/** What outlives a container's process tree when it gets another one: the place on its network, and the published ports. */
export interface KeptPlace {
  readonly attachment: Attachment;
  readonly publication: Publication;
}

/**
 * Holds the place of a running container. Whoever starts the next process tree passes it on; whoever does not, cancels the
 * attachment and disposes of the publication.
 *
 * `lent`: the container goes on having its address, whoever cancels. Default: false.
 *
 * @throws MayflyError `network.forwarder-gone`; Error ENOENT when the container has ended
 */
export function keepPlace(parts: ContainerParts, { lent = false }: { lent?: boolean } = {}): KeptPlace {
  const { engine, record, run } = parts;
  const { spec, attachment: facts, published, shimPid } = record;
  const publication = keepPorts(published, { shimPid, initPid: run.pid });
  try {
    const attachment = engine.networks.keep({
      facts,
      containerId: spec.id,
      detached: spec.detached,
      lent,
      shimPid,
      pid: innerPid(parts),
    });
    return { attachment, publication };
  } catch (error) {
    publication[Symbol.dispose]();
    throw error;
  }
}

/** The same; undefined when it has ended, or ends just now. @throws MayflyError `network.forwarder-gone` */
export function placeOf(parts: ContainerParts, options: { lent: boolean }): KeptPlace | undefined {
  if (parts.run.exit !== undefined) return undefined;
  try {
    return keepPlace(parts, options);
  } catch (error) {
    if (!isEnding(parts.run.pid)) throw error;
    return undefined;
  }
}

/** For who starts no process tree in it. */
export function letGo({ attachment, publication }: KeptPlace): void {
  publication[Symbol.dispose]();
  attachment.cancel();
}

/** Ends what listens on the published ports of a running container. Who is connected notices; with the place kept, who connects waits. */
export function endForwarder({ record: { shimPid }, run }: ContainerParts): void {
  using forwarder = new StillForwarder(findForwarder({ shimPid, initPid: run.pid }));
  forwarder.end();
}
