import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { detectHierarchies } from '../src/kernel/cgroups/hierarchies.ts';
import { debPackages } from './fixtures/deb-packages.ts';

/** What a machine may lack. Each says why it is not met, or undefined when it is. */
const NEEDS = {
  root: () => (process.geteuid?.() === 0 ? undefined : `this process runs as uid ${process.geteuid?.()}`),
  'ordinary-user': () => ordinaryUser() ?? program('newuidmap'),
  cgroup2: () => (detectHierarchies().v2 === undefined ? 'no cgroup2 is mounted' : undefined),
  'memory-controller': () => controller('memory'),
  'cpu-controller': () => controller('cpu'),
  'pids-controller': () => controller('pids'),
  'cpuset-controller': () => controller('cpuset'),
  'io-controller': () => controller('io'),
  'devices-controller': () => controller('devices'),
  gcc: () => program('gcc'),
  'aarch64-linux-gnu-gcc': () => program('aarch64-linux-gnu-gcc'),
  'qemu-aarch64': () => program('qemu-aarch64'),
  mmdebstrap: () => program('mmdebstrap'),
  losetup: () => program('losetup'),
  'mkfs.xfs': () => program('mkfs.xfs'),
  'mkfs.btrfs': () => program('mkfs.btrfs'),
  nft: () => program('nft'),
  'docker-registry': () => program('docker-registry'),
  skopeo: () => program('skopeo'),
  umoci: () => program('umoci'),
  zstd: () => program('zstd'),
  htpasswd: () => program('htpasswd'),
  openssl: () => program('openssl'),
  iptables: () => program('iptables'),
  docker: () => program('docker'),
  dockerd: () => program('dockerd'),
  bash: () => program('bash'),
  zsh: () => program('zsh'),
  fish: () => program('fish'),
  postgresql: () => executable('/usr/lib/postgresql/15/bin/postgres'),
  // Not before it is needed: it may have to be downloaded.
  'iputils-ping': () =>
    debPackages(['iputils-ping', 'libcap2-bin']) === undefined
      ? 'its package is not in the cache of apt, and cannot be downloaded'
      : undefined,
  'dpkg-scanpackages': () => program('dpkg-scanpackages'),
  setcap: () => program('setcap'),
  'chattr-T': () => program('chattr') ?? spreads(tmpdir()),
  tmux: () => program('tmux'),
  build: () =>
    existsSync(join(import.meta.dirname, '../dist/src/index.js'))
      ? undefined
      : 'nothing in dist, npm run build',
} satisfies Record<string, () => string | undefined>;

export type Need = keyof typeof NEEDS;

/**
 * `describe` where this machine has all that is needed; otherwise the suite is skipped, and its title says for want of
 * what, so that the report at the end of the run does too.
 *
 * `requires('root', 'nft')('the firewall', () => { test(…) })`
 */
export function requires(...needs: Need[]): (title: string, suite: () => void) => void {
  const unmet = needs.flatMap((need) => {
    const reason = NEEDS[need]();
    return reason === undefined ? [] : [`${need}: ${reason}`];
  });
  if (unmet.length === 0) return describe;
  return (title, suite) => describe.skip(`${title} (needs ${unmet.join('; ')})`, suite);
}

function controller(name: string): string | undefined {
  const { v1, v2 } = detectHierarchies();
  return v1.has(name === 'io' ? 'blkio' : name) || v2?.controllers.has(name) ? undefined : 'not on this host';
}

function program(name: string): string | undefined {
  const found = (process.env.PATH ?? '').split(':').some((directory) => {
    return executable(join(directory || '.', name)) === undefined;
  });
  return found ? undefined : 'not in PATH';
}

/** Whether the file system knows the attribute `T`, as ext4 does. */
function spreads(directory: string): string | undefined {
  const path = mkdtempSync(join(directory, 'mayfly-attributes-'));
  const { status } = spawnSync('chattr', ['+T', path]);
  rmdirSync(path);
  return status === 0 ? undefined : `not on the file system of ${directory}`;
}

/** The user that CI makes: useradd --create-home mayfly-test gives it ids of its own in /etc/subuid. */
function ordinaryUser(): string | undefined {
  const has = (file: string) => existsSync(file) && /^mayfly-test:/m.test(readFileSync(file, 'utf8'));
  return ['/etc/passwd', '/etc/subuid', '/etc/subgid'].every(has)
    ? undefined
    : 'no user mayfly-test with ids in /etc/subuid and /etc/subgid';
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return `${path} is not there`;
  }
}
