import { closeDescriptor, openDescriptor } from '../kernel/ffi/descriptor.ts';
import { O } from '../kernel/mounts/flags.ts';
import { writeMaps } from '../kernel/namespaces/id-map.ts';
import { FDS } from '../kernel/program/abi.ts';
import { launchInUserNamespace } from '../runtime/launch/worker-launcher.ts';
import type { IdSpec } from '../runtime/spec/container-spec.ts';
import { makeUserNamespace } from '../runtime/userns/user-namespace.ts';
import { MayflyError } from '../support/error.ts';
import type { ContainerOptions } from './container-options.ts';
import type { ContainerParts } from './container-parts.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Engine } from './engine.ts';
import { claimIds } from './id-ranges.ts';
import { isPresent } from './sweep.ts';

/** A user namespace for one program to enter. */
export interface OpenUserNamespace extends Disposable {
  /** Undefined when the program enters none. */
  readonly fd: number | undefined;
}

/**
 * Whose ids a container's will be.
 *
 * @throws MayflyError `option.invalid`, `host.kernel-too-old`, `container.no-ids-left`
 */
export function acquireIds(
  engine: Engine,
  { id, options }: { id: string; options: Pick<ContainerOptions, 'userns' | 'privileged'> },
): IdSpec {
  if (options.userns !== 'private') return engine.rung.ids();
  if (engine.rung.name !== 'root')
    throw new MayflyError('option.invalid', "userns: 'private' takes root", {
      hint: 'leave it out: an ordinary user’s containers have only his own ids outside as it is',
    });
  if (options.privileged)
    throw new MayflyError('option.invalid', "privileged and userns: 'private' exclude each other", {
      hint: 'leave one of them out',
    });
  return claimIds(engine.home, { id, isPresent: (holder) => isPresent(engine.home, holder) });
}

/** The namespace that the program of a start enters. `joined`: a namespace of another container that it shares. */
export function openUserNamespace(
  engine: Engine,
  { ids, joined }: { ids: IdSpec; joined: number | undefined },
): OpenUserNamespace {
  if (ids.kind !== 'private') return { fd: engine.rung.userns(joined), [Symbol.dispose]: () => {} };
  const range = [{ inside: 0, outside: ids.base, count: ids.count }];
  return owned(makeUserNamespace(engine.binary, (pid) => writeMaps(pid, { uids: range, gids: range })));
}

/** The namespace that a running container's processes are in, where that is not the one of all programs: its shim holds it. */
export function openPrivateNamespace({ spec, shimPid }: ContainerRecord): OpenUserNamespace {
  if (spec.ids.kind !== 'private') return { fd: undefined, [Symbol.dispose]: () => {} };
  return owned(openDescriptor(`/proc/${shimPid}/fd/${FDS.userns}`, O.O_RDONLY));
}

/** Starts workers that see the owners of a container's files as its own processes do. */
export function workerLauncherOf({ engine, record }: ContainerParts) {
  if (record.spec.ids.kind !== 'private') return engine.rung.launcher;
  return launchInUserNamespace(engine.binary, () => openPrivateNamespace(record));
}

function owned(fd: number): OpenUserNamespace {
  return { fd, [Symbol.dispose]: () => closeDescriptor(fd) };
}
