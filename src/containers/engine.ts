import { existsSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Registries } from '../images/registry/registries.ts';
import { type ImageStore, openImageStore } from '../images/store/image-store.ts';
import { type DeviceAccess, prepareDeviceAccess } from '../kernel/cgroups/device-access.ts';
import { DEFAULT_DEVICE_RULES } from '../kernel/cgroups/device-rule.ts';
import { detectHierarchies, type Hierarchies } from '../kernel/cgroups/hierarchies.ts';
import { type ShownHierarchy, shownHierarchies } from '../kernel/cgroups/shown.ts';
import { findDisk } from '../kernel/devices/disk.ts';
import { hardLimit } from '../kernel/processes/resource-limits.ts';
import type { ChooseFailpoint } from '../kernel/program/instruction.ts';
import { openShimBinary, type ShimBinary } from '../kernel/program/shim-binary.ts';
import type { Architecture } from '../kernel/syscalls/numbers.ts';
import { type Networks, openNetworks } from '../networks/networks.ts';
import { SeccompFilters } from '../runtime/compile/seccomp-filters.ts';
import type { HostFacts } from '../runtime/compile/start.ts';
import { isMayflyError, MayflyError } from '../support/error.ts';
import type { Home } from '../support/home.ts';
import { openHome } from './own-home.ts';
import { openRung, type Rung } from './rung.ts';
import type { SparePool } from './spares/spare-pool.ts';
import type { Expected } from './successors/successors.ts';

/** Everything that is the same for all containers of one home in one process. */
export interface Engine {
  readonly home: Home;
  readonly rung: Rung;
  readonly images: ImageStore;
  /** Connections to registries for one transfer, by the configuration and credentials of this moment. */
  openRegistries(): Promise<Registries>;
  readonly networks: Networks;
  readonly hierarchies: Hierarchies;
  /** What containers see below /sys/fs/cgroup. */
  readonly shownCgroups: readonly ShownHierarchy[];
  /** How device access is restricted when a container asks for none of its own. */
  readonly deviceAccess: DeviceAccess;
  /** The disk that containers lie on, `major:minor`; undefined when they lie on none. */
  readonly disk: string | undefined;
  readonly binary: ShimBinary;
  readonly host: HostFacts;
  readonly filters: SeccompFilters;
  /** This process's hard limit, which its children cannot exceed. */
  readonly openFilesLimit: number;
  /** Makes an instruction of the next programs fail, for tests of what a failed step leaves behind. Empty by default. */
  readonly failpoints: { start?: ChooseFailpoint | undefined; exec?: ChooseFailpoint | undefined };
  /** Copies of snapshots that this process keeps ready, by the snapshots' ids. */
  readonly spares: Map<string, SparePool>;
  /** What containers of this process are expected to become, by their ids. */
  readonly successors: Map<string, Expected>;
  /** Whether this process has looked for everything that dead containers may have left. */
  swept: boolean;
}

const engines = new Map<string, Engine>();

/** Loaded only when a registry has to be asked, which few processes do. */
async function openRegistriesOf(home: Home, env: NodeJS.ProcessEnv): Promise<Registries> {
  const { openConfigured } = await import('../images/registry/configured.ts');
  return openConfigured(home, env);
}

/**
 * The engine of a home, opened once a process. The only state that outlives a call.
 *
 * @throws MayflyError `host.unsupported`, `host.shim-missing`
 */
export function openEngine(env: NodeJS.ProcessEnv = process.env): Engine {
  requireHost();
  const home = openHome(env);
  let engine = engines.get(home.root);
  if (engine === undefined) {
    const binary = openShimBinary(env.MAYFLY_SHIM);
    const rung = openRung(binary);
    engine = {
      home,
      rung,
      images: openImageStore(home, rung),
      openRegistries: () => openRegistriesOf(home, env),
      networks: openNetworks(home, { uplink: rung.reachesContainers, binary }),
      hierarchies: rung.hierarchies,
      shownCgroups: shownHierarchies(detectHierarchies()),
      deviceAccess: prepareDeviceAccess(rung.hierarchies, DEFAULT_DEVICE_RULES),
      disk: findOwnDisk(home),
      binary,
      host: { throttles: findThrottles(), isFile: (path) => !statSync(path).isDirectory() },
      filters: new SeccompFilters(process.arch as Architecture),
      openFilesLimit: Math.min(hardLimit('nofile'), 2 ** 31),
      failpoints: {},
      spares: new Map(),
      successors: new Map(),
      swept: false,
    };
    engines.set(home.root, engine);
  }
  return engine;
}

function requireHost(): void {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new MayflyError(
      'host.unsupported',
      `mayfly runs on Linux on x64 and arm64, not on ${process.platform} ${process.arch}`,
    );
  }
}

function findOwnDisk(home: Home): string | undefined {
  try {
    return findDisk(home.root);
  } catch (error) {
    if (isMayflyError(error, 'cgroup.no-such-disk')) return undefined;
    throw error;
  }
}

function findThrottles(): number[] {
  return cpus().flatMap((_, cpu) =>
    existsSync(`/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`) ? [cpu] : [],
  );
}
