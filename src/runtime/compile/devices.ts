import { posix } from 'node:path';
import { packDevice } from '../../kernel/devices/device-number.ts';
import { AT, AT_FDCWD, O } from '../../kernel/mounts/flags.ts';
import { ensureDirectory, ensureFile, type InRoot } from '../../kernel/mounts/in-root.ts';
import { attach, cloneTree, newMount } from '../../kernel/mounts/mount.ts';
import { flags, octal } from '../../kernel/program/builder.ts';
import type { Result } from '../../kernel/program/instruction.ts';
import type { ContainerSpec, DeviceSpec, TerminalSize } from '../spec/container-spec.ts';
import type { Ground } from './ground.ts';
import { openMaster, useTerminal } from './terminal.ts';

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/** The six nodes of every container, by major and minor number (kernel admin-guide/devices.txt). */
const NODES = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
} as const;

/** That of every distribution that matters; runc and Docker rely on it too. */
const TTY_GROUP = 5;

const LINKS = {
  ptmx: 'pts/ptmx',
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  core: '/proc/kcore',
} as const;

/**
 * Docker's /dev. Result: an fd of it.
 *
 * The tmpfs is filled by fd before it is attached, so that nothing in the image (`/dev` as a link, a planted `ptmx`) is
 * ever written through (CVE-2026-41579).
 */
export function mountDev(
  tree: InRoot,
  {
    shmSize,
    devices,
    shm,
    ground,
    terminal,
  }: Pick<ContainerSpec, 'shmSize' | 'devices'> & {
    shm: Result | undefined;
    ground: Ground;
    terminal: TerminalSize | undefined;
  },
): Result {
  const { section } = tree;
  const dev = newMount(section, {
    type: 'tmpfs',
    options: { mode: '755', size: '65536k' },
    attributes: ['MOUNT_ATTR_NOSUID', 'MOUNT_ATTR_STRICTATIME'],
  });
  for (const [name, [major, minor]] of ground.deviceNodes === 'made' ? Object.entries(NODES) : []) {
    section.call('mknodat', [dev, name, octal(S_IFCHR | 0o666), (major << 8) | minor], {
      what: `create /dev/${name}`,
    });
  }
  for (const [name, target] of Object.entries(LINKS)) {
    section.call('symlinkat', [target, dev, name], { what: `link /dev/${name}` });
  }
  for (const name of ['pts', 'mqueue', 'shm'])
    section.call('mkdirat', [dev, name, octal(0o755)], { what: `create /dev/${name}` });
  attach(section, [dev, ensureDirectory(tree, 'dev', { refuseLinks: true })], {
    what: 'mount tmpfs on "/dev"',
  });
  // Only now, because nothing can be mounted in what is mounted nowhere.
  const bound = ground.deviceNodes === 'bound';
  if (bound) {
    for (const name of Object.keys(NODES))
      bindNode({ section, root: dev }, { host: `/dev/${name}`, path: `/${name}` });
  }
  const devpts = mountInDev(tree, dev, { shmSize, shm, ttyGroup: ground.idBase + TTY_GROUP });
  if (terminal !== undefined) makeConsole({ section, root: dev }, devpts, terminal);
  for (const device of devices) (bound ? bindNode : makeNode)(tree, device);
  return dev;
}

/** A node of the user's, with the mode and the owner that it has on the host; in place of what the image has there. */
function makeNode(tree: InRoot, device: DeviceSpec): void {
  const { section } = tree;
  const directory = ensureDirectory(tree, posix.dirname(device.path));
  const name = posix.basename(device.path);
  section.call('unlinkat', [directory, name, 0], {
    what: `make room for ${device.path}`,
    tolerate: ['ENOENT'],
  });
  const mode = (device.type === 'block' ? S_IFBLK : S_IFCHR) | device.mode;
  section.call('mknodat', [directory, name, octal(mode), packDevice(device)], {
    what: `create ${device.path}`,
  });
  section.call('fchownat', [directory, name, device.uid, device.gid, flags(AT, 'AT_SYMLINK_NOFOLLOW')], {
    what: `give ${device.path} its owner`,
  });
}

/** The host's own node, when we may make none; everything about it is as it is there. */
function bindNode(tree: InRoot, { host, path }: Pick<DeviceSpec, 'host' | 'path'>): void {
  const node = cloneTree(tree.section, [AT_FDCWD, host]);
  attach(tree.section, [node, ensureFile(tree, path)], { what: `bind "${path}"` });
}

/** The first process's terminal is the container's console. */
function makeConsole(dev: InRoot, devpts: Result, size: TerminalSize): void {
  const slave = useTerminal(dev.section, openMaster(dev.section, devpts), size);
  const bound = cloneTree(dev.section, [slave, ''], { what: 'bind the terminal' });
  attach(dev.section, [bound, ensureFile(dev, '/console')], { what: 'mount it on "/dev/console"' });
}

/** Result: the devpts. */
function mountInDev(
  { section }: InRoot,
  dev: Result,
  { shmSize, shm, ttyGroup }: { shmSize: number; shm: Result | undefined; ttyGroup: number },
): Result {
  const on = (name: string, mount: Result) => {
    const target = section.call('openat', [dev, name, flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC'), 0], {
      what: `open /dev/${name}`,
    });
    attach(section, [mount, target], { what: `mount on "/dev/${name}"` });
  };
  const options = { newinstance: true, ptmxmode: '0666', mode: '0620', gid: String(ttyGroup) } as const;
  const devpts = newMount(section, {
    type: 'devpts',
    options,
    attributes: ['MOUNT_ATTR_NOSUID', 'MOUNT_ATTR_NOEXEC'],
  });
  on('pts', devpts);
  const attributes = ['MOUNT_ATTR_NOSUID', 'MOUNT_ATTR_NODEV', 'MOUNT_ATTR_NOEXEC'] as const;
  on('mqueue', newMount(section, { type: 'mqueue', attributes }));
  on(
    'shm',
    shm ?? newMount(section, { type: 'tmpfs', options: { mode: '1777', size: String(shmSize) }, attributes }),
  );
  return devpts;
}
