import { statSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import type { Image } from '../images/store/image.ts';
import type { Cgroup } from '../kernel/cgroups/cgroup.ts';
import type { Limits } from '../kernel/cgroups/limits.ts';
import type { Attachment } from '../networks/attachment.ts';
import type { PortAdoption } from '../networks/port-adoption.ts';
import type { Publication } from '../networks/publish.ts';
import type { ContainerSpec, DeviceSpec, IdSpec, MountSpec } from '../runtime/spec/container-spec.ts';
import type { PrivilegeSpec } from '../runtime/spec/privilege-spec.ts';
import { parseByteSize } from '../support/byte-size.ts';
import { type Duration, parseDuration } from '../support/duration.ts';
import { MayflyError } from '../support/error.ts';
import type { ContainerOptions, MountOption } from './container-options.ts';
import type { Engine } from './engine.ts';
import { configuredEnv, resolveProcess } from './process-spec.ts';
import { storageRootOf } from './storage-root.ts';
import { resolveSysctls } from './sysctls.ts';
import { resolveTerminal } from './terminal.ts';

const DEFAULT_SHM = 64 << 20;
const DEFAULT_LOG_LIMIT = 64 << 20;

/** What has been acquired for the container by the time its spec is written. */
export interface Acquired {
  readonly id: string;
  readonly directory: string;
  readonly image: Image;
  readonly ids: IdSpec;
  readonly attachment: Attachment;
  readonly publication: Publication;
  /** Of a spare with published ports. */
  readonly adoption: PortAdoption | undefined;
  readonly cgroup: Cgroup;
  readonly limits: Limits;
  readonly devices: readonly DeviceSpec[];
  readonly privileges: PrivilegeSpec;
  /** Generated files, by the path that each has in the container. */
  readonly files: ReadonlyMap<string, string>;
}

/** Writes the complete spec of one container: options first, then the image's configuration, then defaults. */
export function resolveSpec(
  engine: Engine,
  { options, acquired }: { options: ContainerOptions; acquired: Acquired },
): ContainerSpec {
  const { id, directory, image, attachment, cgroup, limits, devices, privileges, ids } = acquired;
  const layers = image.layers.map((layer) => relative(engine.home.layers, layer.directory));
  const hostname = options.hostname ?? id.slice(0, 12);
  const inLayers = (name: string) => relative(engine.home.layers, join(directory, name));
  return {
    id,
    hostname,
    process: resolveProcess(engine, {
      argv: resolveArgv(options, image),
      env: configuredEnv(options, image.config),
      cwd: options.cwd ?? (image.config.WorkingDir || '/'),
      user: options.user ?? image.config.User ?? '',
      hostname,
      privileges,
      groups: options.groupAdd,
      terminal: resolveTerminal(options.tty),
      roots: image.layers.map((layer) => layer.directory).toReversed(),
    }),
    privileges,
    init: options.init ?? true,
    rootfs: {
      directory: engine.home.layers,
      layers,
      upper: inLayers('upper'),
      work: inLayers('work'),
      ...resolveStorage(options, { ids, upper: join(directory, 'upper') }),
      target: inLayers('rootfs'),
    },
    mounts: (options.mounts ?? []).map(resolveMount),
    files: [...acquired.files].map(([target, source]) => ({ source, target })),
    devices,
    shmSize: options.shmSize === undefined ? DEFAULT_SHM : parseByteSize(options.shmSize),
    ids,
    shared: { ipc: typeof options.ipc === 'object', pid: typeof options.pid === 'object' },
    clockOffsets: resolveClocks(options.clockOffsets),
    readOnly: options.readOnly ?? false,
    writable: options.readOnly ? writableVolumes(image.config) : [],
    sysctls: resolveSysctls(options),
    network: attachment.steps,
    forward: forwardOf(acquired),
    cgroup: {
      name: id,
      unified: cgroup.unified,
      joinFiles: cgroup.joinFiles,
      oomFile: cgroup.oomFile,
      oomNotice: cgroup.oomNotice,
      possible: cgroup.possible,
      limits,
      countedSince: cgroup.counts ? new Date().toISOString() : undefined,
      mounts: engine.shownCgroups,
    },
    log: {
      path: join(directory, 'log'),
      limit: options.logLimit === undefined ? DEFAULT_LOG_LIMIT : parseByteSize(options.logLimit),
    },
    runRecord: join(directory, 'run'),
    marks: join(directory, 'marks'),
    pulse: join(directory, 'pulse'),
    attach: join(directory, 'attach'),
    openStdin: options.openStdin ?? false,
    detached: options.detached ?? false,
  };
}

function resolveStorage(
  { storageSize }: ContainerOptions,
  { ids, upper }: { ids: IdSpec; upper: string },
): Pick<ContainerSpec['rootfs'], 'storage' | 'storageRoot'> {
  if (storageSize === undefined) return { storage: undefined };
  return { storage: parseByteSize(storageSize), storageRoot: storageRootOf(upper, ids) };
}

/** Docker makes a volume of each, so they can be written in a read-only container. What the kernel mounts is none. */
function writableVolumes({ Volumes = {} }: Image['config']): string[] {
  return Object.keys(Volumes).filter((path) => !/^\/(proc|sys|dev)?(\/|$)/.test(posix.normalize(`/${path}`)));
}

function resolveClocks(offsets: ContainerOptions['clockOffsets']): ContainerSpec['clockOffsets'] {
  if (offsets === undefined) return undefined;
  const seconds = (offset: Duration = 0) => Math.round(parseDuration(offset) / 1000);
  return { monotonic: seconds(offsets.monotonic), boottime: seconds(offsets.boottime) };
}

function forwardOf({ publication, adoption, attachment }: Acquired): ContainerSpec['forward'] {
  if (publication.listeners.length === 0) return undefined;
  return {
    address: attachment.facts.ip!,
    ports: publication.listeners.map(({ container }) => container),
    adopts: adoption !== undefined,
  };
}

/** Docker's rule: an entrypoint of one's own puts the image's Cmd out of force. */
function resolveArgv({ entrypoint, command }: ContainerOptions, { config }: Image): string[] {
  const argv = [
    ...(entrypoint ?? config.Entrypoint ?? []),
    ...(command ?? (entrypoint ? [] : (config.Cmd ?? []))),
  ];
  if (argv.length > 0) return argv;
  throw new MayflyError('container.no-command', 'the image names no command and neither do the options', {
    hint: 'give one with the option command',
  });
}

/** What lxcfs is mounted on, and nothing else below /proc (runc libcontainer, checkProcMount). */
const MOUNTABLE_IN_PROC = new Set(
  ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo'].map(
    (name) => `/proc/${name}`,
  ),
);

function resolveMount(mount: MountOption): MountSpec {
  requireMountable(mount.target);
  if (mount.type === 'bind') {
    if (statSync(mount.source, { throwIfNoEntry: false }) === undefined) {
      throw new MayflyError('container.bind-source-missing', `bind source does not exist: ${mount.source}`, {
        hint: 'create it first; mayfly makes no directories on the host',
      });
    }
    return { ...mount, readOnly: mount.readOnly ?? false };
  }
  const { size, ...rest } = mount;
  return size === undefined ? rest : { ...rest, size: parseByteSize(size) };
}

/** A mount there would cover what hides the host, or what settings are written to (CVE-2019-16884). */
function requireMountable(target: string): void {
  const path = posix.normalize(`${target}/`).slice(0, -1);
  if (path !== '' && !/^\/proc(\/|$)/.test(path)) return;
  if (MOUNTABLE_IN_PROC.has(path)) return;
  throw new MayflyError('container.mount-refused', `nothing can be mounted on ${JSON.stringify(target)}`, {
    hint: 'mount it elsewhere; for settings of the kernel there is the option sysctls',
  });
}
