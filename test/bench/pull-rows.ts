import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from '../../src/index.ts';
import { runMeasured } from '../fixtures/peaks.ts';
import { startDockerRegistry } from '../fixtures/registry/docker-registry.ts';
import { scratchStore } from '../fixtures/registry/pulling.ts';
import { skopeoCopy } from '../fixtures/registry/skopeo.ts';
import { connectDocker, type DockerPull } from './peer.ts';
import { pushDebian, pushSmallFiles } from './pull-images.ts';
import { milliseconds, plainRow, type Row, toRow } from './sample.ts';

const ROUNDS = 7;
const WARM_UP = 1;
const REPULLS = 40;
const PEAKS = 3;
const PULLS = { pull: pushDebian, 'pull-small-files': pushSmallFiles } as const;

interface Bench {
  readonly image: Image;
  readonly scratch: string;
  readonly wants: (name: string) => boolean;
}

/**
 * Rows `pull` and `pull-small-files`: an image comes from a registry on loopback into an empty store and is unpacked; the floor is
 * skopeo copy and umoci unpack. Nothing is deleted in between, because an ext4 without a journal goes a long way around inodes
 * that were in use a minute ago. `peak` rows: the most that any process of ours took meanwhile. Row `repull`: nothing has changed.
 */
export async function pullRows({ image, scratch, wants }: Bench): Promise<Row[]> {
  await using registry = await startDockerRegistry();
  const docker = await connectDocker();
  const rows: Row[] = [];
  for (const name of ['pull', 'pull-small-files'] as const) {
    if (!wants(name)) continue;
    const reference = await push(name, { image, scratch, host: registry.host });
    rows.push(...(await pullRow(name, { reference, scratch, docker })));
  }
  if (wants('repull')) {
    const reference = await push('pull-small-files', { image, scratch, host: registry.host });
    rows.push(await repullRow(reference, scratch));
  }
  return rows;
}

function push(
  name: keyof typeof PULLS,
  { image, scratch, host }: { image: Image; scratch: string; host: string },
): Promise<string> {
  return name === 'pull' ? pushDebian(image, host) : pushSmallFiles(scratch, host);
}

async function pullRow(
  name: string,
  { reference, scratch, docker }: { reference: string; scratch: string; docker: DockerPull | undefined },
): Promise<Row[]> {
  const floor: number[] = [];
  const ours: number[] = [];
  const peer: number[] = [];
  const peaks: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const took = [await floorRound(reference, scratch), await oneRound(reference, scratch)] as const;
    if (round < 0) continue;
    floor.push(took[0]);
    ours.push(took[1]);
    if (docker !== undefined) peer.push(await peerRound(docker, reference));
    if (round < PEAKS) peaks.push(await peakRound(reference, scratch));
  }
  return [toRow(name, { ours, floor, peer }), plainRow(`${name}-peak`, peaks, 'MiB')];
}

async function oneRound(reference: string, scratch: string): Promise<number> {
  const home = scratchStore(mkdtempSync(join(scratch, 'pull-')));
  settleDisk();
  return await milliseconds(() => home.pull(reference));
}

async function peakRound(reference: string, scratch: string): Promise<number> {
  const home = mkdtempSync(join(scratch, 'peak-'));
  const pull = [process.execPath, 'dist/cli/mayfly.js', 'pull', reference];
  const { main, child } = await runMeasured(pull, { ...process.env, MAYFLY_HOME: home });
  return Math.max(main, child);
}

async function floorRound(reference: string, scratch: string): Promise<number> {
  const directory = mkdtempSync(join(scratch, 'floor-'));
  settleDisk();
  return await milliseconds(async () => {
    await skopeoCopy(`docker://${reference}`, `oci:${directory}/oci:1`);
    execFileSync('umoci', ['unpack', '--image', `${directory}/oci:1`, `${directory}/bundle`]);
  });
}

async function peerRound(docker: DockerPull, reference: string): Promise<number> {
  settleDisk();
  return await docker(reference);
}

/** Nobody pays for what the one before has still to write. */
function settleDisk(): void {
  execFileSync('sync');
}

async function repullRow(reference: string, scratch: string): Promise<Row> {
  using home = scratchStore(mkdtempSync(join(scratch, 'repull-')));
  await home.pull(reference);
  const samples: number[] = [];
  for (let round = 0; round < REPULLS; round += 1)
    samples.push(await milliseconds(() => home.pull(reference)));
  return plainRow('repull', samples);
}
