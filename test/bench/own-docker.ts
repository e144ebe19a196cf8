import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { postgres } from 'mayfly/presets/postgres';
import { openEngine } from '../../src/containers/engine.ts';
import { saveImages } from '../../src/index.ts';
import { findImage } from '../../src/presets/image-source.ts';
import { openDocker } from '../fixtures/dockerd.ts';
import { debian } from '../fixtures/home.ts';

/** Tells the second of these processes which network namespace the first is in. */
const OUTSIDE = 'MAYFLY_BENCH_OUTSIDE';
const network = () => readlinkSync('/proc/self/ns/net');

/** Whether this process is the one that `runInOwnNetwork` starts. */
export function inOwnNetwork(): boolean {
  const outside = process.env[OUTSIDE];
  return outside !== undefined && outside !== network();
}

/**
 * Runs this program once more, in a network namespace with nothing in it but a loopback: dockerd publishes its ports there, so that
 * is where testcontainers has to be, and where ours and the floor have to be, to be measured in one place. Resolves with its exit code.
 */
export async function runInOwnNetwork(): Promise<number> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const inside = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...again];
  const { DOCKER_HOST, ...env } = process.env;
  // When this process is killed, the other is told as a terminal would tell it.
  const child = spawn('setpriv', ['--pdeathsig=INT', ...inside], {
    stdio: 'inherit',
    env: { ...env, [OUTSIDE]: network() },
  });
  // A terminal sends it to both; this one waits until the other has cleaned up.
  process.on('SIGINT', () => {});
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

/** Starts a dockerd that has the images that the peers name, and points them to it. */
export async function openOwnDocker(scratch: string): Promise<AsyncDisposable> {
  const opening = openDocker({ bridge: true });
  // Not once(): the listener would be gone when signal-exit looks whether anybody but itself listens, and it would end the process.
  process.on('SIGINT', async () => {
    await (await opening)[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true, force: true });
    process.exit(130);
  });
  const docker = await opening;
  try {
    const images = await peersImages();
    const archive = join(scratch, 'peers.tar');
    await saveImages(Object.values(images), archive);
    await docker('load', '--input', archive);
    rmSync(archive);
    for (const [name, id] of Object.entries(images)) await docker('tag', id, name);
  } catch (error) {
    await docker[Symbol.asyncDispose]();
    throw error;
  }
  Object.assign(process.env, {
    DOCKER_HOST: docker.host,
    // Where there is a /.dockerenv, it would look elsewhere.
    TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1',
    // Its image is not here; what it would remove ends with dockerd.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
  });
  return docker;
}

/** Ids of images, which are those of Docker as well, by the names that the peers use. */
async function peersImages(): Promise<Record<string, string>> {
  const database = await findImage(openEngine(), { preset: postgres, signal: undefined });
  return { 'debian:bookworm-slim': (await debian()).id, 'postgres:17': database.id };
}
