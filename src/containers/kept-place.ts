import type { Attachment } from '../networks/attachment.ts';
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
 * @throws MayflyError `network.forwarder-gone`; Error ENOENT when the container has ended
 */
export function keepPlace(parts: ContainerParts): KeptPlace {
  const { engine, record, run } = parts;
  const { spec, attachment: facts, published, shimPid } = record;
  const publication = keepPorts(published, { shimPid, initPid: run.pid });
  try {
    const attachment = engine.networks.keep({
      facts,
      containerId: spec.id,
      detached: spec.detached,
      shimPid,
      pid: innerPid(parts),
    });
    return { attachment, publication };
  } catch (error) {
    publication[Symbol.dispose]();
    throw error;
  }
}
