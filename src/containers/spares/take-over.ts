import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { overwrite } from '../../files/overwrite.ts';
import { beginFreeze } from '../../kernel/cgroups/freeze.ts';
import { findPlaces } from '../../kernel/cgroups/places.ts';
import type { Container } from '../container.ts';
import type { ContainerParts } from '../container-parts.ts';
import { innerPid } from '../inner-process.ts';
import { become } from './become.ts';
import { offerPorts } from './offer-ports.ts';

const SIGKILL = 9;

/**
 * Makes a spare the process tree of a container: it gets its address, published ports, id, name and directory. The old processes stand
 * still from then on, and are taken away a little later.
 *
 * @throws whatever the kernel says; then the container is as before, but for its connections
 */
export function takeOver(parts: ContainerParts, spare: Container): void {
  const { engine, record, run } = parts;
  const { record: spareRecord } = spare.parts;
  using ports = offerPorts(parts, spare.parts);
  // Only stopped: all that the kernel has to take apart would compete with the first use of the container. And before its connections
  // are closed, which it would else make something of. What outlives us is not: nobody would let it go on, or end it, without us.
  const mayStand = run.exit === undefined && !record.spec.detached;
  const standsStill = mayStand && beginFreeze(findPlaces(engine.hierarchies, record.spec.cgroup.name));
  giveAddress(parts, spare.parts);
  ports.passOn();
  if (!standsStill) run.supervision.signal(SIGKILL);
  become(parts, { parts: spare.parts, spare: spareRecord });
}

function giveAddress(from: ContainerParts, to: ContainerParts): void {
  const { attachment: address } = from.record;
  const { attachment: facts } = to.record;
  if (address.ip === undefined || facts.ip === undefined) return;
  const place = (parts: ContainerParts) => ({ shimPid: parts.record.shimPid, pid: innerPid(parts) });
  from.engine.networks.moveAddress({
    from: from.run.exit === undefined ? { ...place(from), facts: address } : undefined,
    to: { ...place(to), facts, address },
  });
  rewriteHosts(to, { from: facts.ip, to: address.ip });
}

/** In place, because it is this file that is mounted in the container. */
function rewriteHosts({ engine, record }: ContainerParts, { from, to }: { from: string; to: string }): void {
  const path = join(engine.home.containers, record.spec.id, 'hosts');
  const lines = readFileSync(path, 'utf8').split('\n');
  overwrite(
    path,
    lines.map((line) => (line.startsWith(`${from}\t`) ? to + line.slice(from.length) : line)).join('\n'),
  );
}
