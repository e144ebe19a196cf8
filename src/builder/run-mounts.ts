import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MountOption } from '../containers/container-options.ts';
import type { Rung } from '../containers/rung.ts';
import { runFileWorker } from '../files/run-worker.ts';
import { DockerfileError, type Place } from '../images/dockerfile/dockerfile-error.ts';
import type { RunMount } from '../images/dockerfile/run-step.ts';
import { type LockedFile, lockFile, tryLock } from '../kernel/processes/file-lock.ts';
import { deadlineIn } from '../support/deadline.ts';
import type { CopyPart } from './copy-parts.ts';

/** A RUN with a locked cache may take long. */
const PATIENCE = 6 * 3600_000;

/** Where the mounts of a RUN get what they show. */
export interface MountSources {
  /** Directory of the caller's for what has to be made. */
  readonly scratch: string;
  /** Directory in which caches live on from build to build. */
  readonly caches: string;
  readonly secrets: Readonly<Record<string, string | Uint8Array>>;
  readonly place: Place;
  readonly signal: AbortSignal | undefined;
  readonly rung: Pick<Rung, 'name' | 'launcher'>;
}

/** Mounts that a container can be given, and what goes with them. */
export interface PreparedMounts extends Disposable {
  readonly mounts: readonly MountOption[];
  readonly env: Readonly<Record<string, string>>;
}

type Of<Type extends RunMount['type']> = Extract<RunMount, { type: Type }>;

/** A mount together with the files of a bind, which come from the context or another stage. */
export type SourcedMount = Exclude<RunMount, { type: 'bind' }> | (Of<'bind'> & { readonly part: CopyPart });

/**
 * Makes ready what the mounts of one RUN show. Binds are copies, so that nothing that the command writes there changes what they
 * are copies of; a secret is a file outside of every layer.
 */
export async function prepareMounts(
  mounts: readonly SourcedMount[],
  sources: MountSources,
): Promise<PreparedMounts> {
  const locks: LockedFile[] = [];
  const release = () => {
    for (const lock of locks.splice(0)) lock.release();
  };
  const prepared: MountOption[] = [];
  const env: Record<string, string> = {};
  try {
    for (const mount of mounts) {
      if (mount.type === 'tmpfs') {
        const { target, size } = mount;
        prepared.push({ type: 'tmpfs', target, ...(size === undefined ? {} : { size }) });
      } else if (mount.type === 'cache') {
        giveable(mount, sources);
        const { source, lock } = await openCache(mount, sources);
        if (lock !== undefined) locks.push(lock);
        prepared.push({ type: 'bind', source, target: mount.target, readOnly: mount.readOnly });
      } else if (mount.type === 'bind') {
        const { target, readOnly } = mount;
        prepared.push({ type: 'bind', source: await copyPart(mount.part, sources), target, readOnly });
      } else Object.assign(env, placeSecret(mount, { prepared, sources }));
    }
  } catch (error) {
    release();
    throw error;
  }
  return { mounts: prepared, env, [Symbol.dispose]: release };
}

/** An ordinary user's files are root's inside; to give them to others takes rights that we do not have out here. */
function giveable(
  { type, uid, gid }: { type: string; uid: number; gid: number },
  { rung, place }: MountSources,
): void {
  if (rung.name === 'root' || (uid === 0 && gid === 0)) return;
  throw new DockerfileError('build.unsupported', `a ${type} of another owner takes root`, {
    place,
    hint: 'leave uid and gid out, or build as root',
  });
}

async function openCache(
  { id, sharing, mode, uid, gid }: Of<'cache'>,
  { caches, scratch, signal, rung }: MountSources,
): Promise<{ source: string; lock: LockedFile | undefined }> {
  // The id may be anything, a path with dots included.
  const shared = join(caches, createHash('sha256').update(id).digest('hex'));
  const path = `${shared}.lock`;
  const deadline = deadlineIn(PATIENCE);
  const lock =
    sharing === 'locked'
      ? await lockFile(path, { signal, deadline })
      : sharing === 'private'
        ? tryLock(path)
        : undefined;
  // A private one is somebody's alone: who comes while it is in use gets an empty one.
  const isTaken = sharing === 'private' && lock === undefined;
  const source = isTaken ? mkdtempSync(join(scratch, 'cache-')) : shared;
  mkdirSync(source, { recursive: true, mode: 0o755 });
  chmodSync(source, mode);
  if (rung.name === 'root') chownSync(source, uid, gid);
  return { source, lock };
}

async function copyPart(part: CopyPart, { scratch, signal, rung }: MountSources): Promise<string> {
  const root = mkdtempSync(join(scratch, 'bind-'));
  // Not the root itself, whose mode nobody but its owner can pass. It is as a layer is: the worker's root, and ours alone.
  const request = { operation: 'copy-in', path: '/files', shape: part.shape, trusted: true } as const;
  await runFileWorker(request, { root, input: part.open(), signal, launcher: rung.launcher });
  return join(root, 'files');
}

/** Returns the environment that the secret is to be in. */
function placeSecret(
  { id, target, env, required, mode, uid, gid }: Of<'secret'>,
  { prepared, sources }: { prepared: MountOption[]; sources: MountSources },
): Record<string, string> {
  giveable({ type: 'secret', uid, gid }, sources);
  const { secrets, scratch, place, rung } = sources;
  const secret = secrets[id];
  if (secret === undefined) {
    if (!required) return {};
    throw new DockerfileError('build.missing-value', `the secret ${id} is required and was not given`, {
      place,
      hint: `give it as secrets: { ${JSON.stringify(id)}: … }`,
    });
  }
  if (env === undefined || target !== undefined) {
    const source = join(mkdtempSync(join(scratch, 'secret-')), 'secret');
    writeFileSync(source, secret, { mode });
    if (rung.name === 'root') chownSync(source, uid, gid);
    prepared.push({ type: 'bind', source, target: target ?? `/run/secrets/${id}`, readOnly: true });
  }
  return env === undefined ? {} : { [env]: Buffer.from(secret).toString('utf8') };
}
