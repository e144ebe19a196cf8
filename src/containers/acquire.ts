import { PortAdoption } from '../networks/port-adoption.ts';
import { type PublishedPort, publishPorts } from '../networks/publish.ts';
import type { Engine } from './engine.ts';
import { writeEtcFiles } from './etc-files.ts';
import { releaseIds } from './id-ranges.ts';
import type { KeptPlace } from './kept-place.ts';
import type { Launch, Undo } from './launch.ts';
import { makeCgroup } from './limits/make-cgroup.ts';
import { portRequests } from './ports.ts';
import { SPARE_LABEL } from './spares/spare-label.ts';
import { liveShims } from './sweep.ts';
import { acquireIds } from './user-namespace.ts';

export interface AcquireRequest
  extends Pick<Launch['acquired'], 'limits' | 'devices' | 'privileges'>,
    Pick<Launch, 'directory' | 'options' | 'image'> {
  /** The address that the container had before. */
  readonly wantedIp?: string | undefined;
  /** The ports of the host that it had before. */
  readonly wantedPorts?: readonly PublishedPort[];
  /** What a container that gets another process tree has already; default: nothing. */
  readonly kept?: KeptPlace | undefined;
  /** True: its address is not given back when this process ends, only when it does. Default: as `detached` says. */
  readonly mayDetach?: boolean;
  readonly undo: Undo[];
}

/** Gets for a container what the kernel has to give, ids, a cgroup, an address and ports, and writes the files that tell of it. */
export async function acquire(engine: Engine, request: AcquireRequest): Promise<Launch['acquired']> {
  const { directory, options, image, limits, devices, privileges, undo } = request;
  const { wantedIp, wantedPorts, kept } = request;
  const { id, path } = directory;
  const ids = acquireIds(engine, { id, options });
  undo.push(() => releaseIds(engine.home, id));
  const cgroup = makeCgroup(engine, {
    id,
    limits,
    devices,
    privileged: privileges.privileged,
    accounting: options.accounting ?? false,
  });
  undo.push(() => cgroup.remove());
  const attachment =
    kept?.attachment ??
    (await engine.networks.attach({
      network: options.network ?? 'default',
      containerId: id,
      wantedIp,
      detached: (options.detached ?? false) || (request.mayDetach ?? false),
      liveShims: () => liveShims(engine.home),
      signal: options.signal,
    }));
  undo.push(() => attachment.cancel());
  const publication =
    kept?.publication ??
    publishPorts(
      portRequests(options, {
        config: image.config,
        always: !engine.rung.reachesContainers || options.publishAll === true,
        before: wantedPorts ?? [],
      }),
    );
  undo.push(() => publication[Symbol.dispose]());
  const isSpare = options.labels?.[SPARE_LABEL] !== undefined;
  const getsOthers = isSpare && kept === undefined && publication.listeners.length > 0;
  const adoption = getsOthers ? new PortAdoption() : undefined;
  undo.push(() => adoption?.[Symbol.dispose]());
  const files = writeEtcFiles(path, {
    hostname: options.hostname ?? id.slice(0, 12),
    ip: attachment.facts.ip,
    gateway: attachment.facts.gateway,
    extra: options.extraHosts ?? {},
    hostNetwork: attachment.steps.host,
  });
  return { ids, cgroup, attachment, publication, adoption, limits, devices, privileges, files };
}
