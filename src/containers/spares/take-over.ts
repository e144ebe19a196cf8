import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPlaces } from '../../kernel/cgroups/places.ts';
import { closeDescriptor, openDescriptor } from '../../kernel/ffi/descriptor.ts';
import { O } from '../../kernel/mounts/flags.ts';
import { FIRST_FREE_FD } from '../../kernel/program/abi.ts';
import { runInstructions } from '../../runtime/launch/run-instructions.ts';
import type { Container } from '../container.ts';
import type { ContainerParts } from '../container-parts.ts';
import { cgroupNames } from '../container-record.ts';
import { innerPid } from '../inner-process.ts';
import { releaseName } from '../names.ts';
import { signalContainer } from '../stop.ts';
import { adoptDirectory } from './adopt-directory.ts';

const SIGKILL = 9;

/**
 * Whether a spare could become the container: the same options, and nothing that a spare cannot take along. Its address has to be
 * its own to move, and sockets of the host belong to the old forwarder.
 */
export function canTakeOver({ engine, record }: ContainerParts): boolean {
  const { attachment, published, spec } = record;
  return (
    engine.rung.name === 'root' &&
    attachment.networkName !== 'host' &&
    published.length === 0 &&
    !spec.detached &&
    spec.ids.kind === 'host'
  );
}

/**
 * Makes a spare the process tree of a container: it gets its address, id, name and directory. The old processes have been killed
 * when this resolves, and end meanwhile.
 */
export async function takeOver(parts: ContainerParts, spare: Container): Promise<void> {
  const { engine, record, run } = parts;
  const { home, hierarchies, networks } = engine;
  const { record: spareRecord } = spare.parts;
  // Before the old one is killed: what the kernel does to take its namespace apart would have to be waited for.
  await giveAddress(parts, spare.parts);
  if (run.exit === undefined) signalContainer(parts, SIGKILL);
  const adopted = adoptDirectory(home, {
    container: record,
    spare: spareRecord,
    formerCgroups: cgroupNames(record).filter((name) => findPlaces(hierarchies, name).all.some(existsSync)),
  });
  releaseName(home, { name: spareRecord.name, id: spareRecord.spec.id });
  networks.release(spareRecord.attachment, spareRecord.spec.id);
  parts.record = adopted;
  parts.run = spare.parts.run;
  // What looks after its health goes by its own parts.
  spare.parts.record = adopted;
}

async function giveAddress(from: ContainerParts, to: ContainerParts): Promise<void> {
  const { attachment: address } = from.record;
  const { attachment: facts } = to.record;
  if (address.ip === undefined || facts.ip === undefined) return;
  const old = from.run.exit === undefined ? openNamespace(from) : undefined;
  const fresh = openNamespace(to);
  const passed = old === undefined ? [fresh] : [fresh, old];
  try {
    await runInstructions({
      binary: from.engine.binary,
      userns: undefined,
      passed,
      label: 'move address',
      write: (section) => {
        from.engine.networks.moveAddress(section, {
          from: old === undefined ? undefined : { netns: FIRST_FREE_FD + 1, facts: address },
          to: { netns: FIRST_FREE_FD, facts, address },
        });
        return undefined;
      },
    });
  } finally {
    for (const fd of passed) closeDescriptor(fd);
  }
  rewriteHosts(to, { from: facts.ip, to: address.ip });
}

const openNamespace = (parts: ContainerParts) =>
  openDescriptor(`/proc/${innerPid(parts)}/ns/net`, O.O_RDONLY | O.O_CLOEXEC);

/** In place, because it is this file that is mounted in the container. */
function rewriteHosts({ engine, record }: ContainerParts, { from, to }: { from: string; to: string }): void {
  const path = join(engine.home.containers, record.spec.id, 'hosts');
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(
    path,
    lines.map((line) => (line.startsWith(`${from}\t`) ? to + line.slice(from.length) : line)).join('\n'),
  );
}
