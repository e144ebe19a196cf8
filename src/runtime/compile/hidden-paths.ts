import { type InRoot, openInRoot } from '../../kernel/mounts/in-root.ts';
import { attach, cloneTree, newMount, setAttributes } from '../../kernel/mounts/mount.ts';
import type { Result } from '../../kernel/program/instruction.ts';

/** Docker's masked paths (moby daemon/pkg/oci/defaults.go), by what they are in the kernels that have them. */
const MASKED_IN_PROC = {
  directories: ['acpi', 'asound', 'scsi'],
  files: ['interrupts', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'timer_list', 'timer_stats'],
} as const;
const READ_ONLY_IN_PROC = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'] as const;

/** `throttles` are the CPUs of this machine that have a thermal_throttle: it tells about the neighbours' work. */
export function hidePaths(
  tree: InRoot,
  { proc, sys, dev, throttles }: { proc: Result; sys: Result; dev: Result; throttles: readonly number[] },
): void {
  const { section } = tree;
  const empty = newMount(section, {
    type: 'tmpfs',
    options: { size: '0' },
    attributes: ['MOUNT_ATTR_RDONLY'],
  });
  const hide = (root: Result, path: string, mount: () => Result) => {
    const target = openInRoot({ section, root }, path, { flags: ['O_PATH'], ...ABSENT });
    attach(section, [mount(), target], { what: `hide ${path}` });
  };
  // A mount can be cloned only once it is attached somewhere, and every machine has a /sys/firmware to begin with.
  hide(sys, 'firmware', () => empty);
  const emptyCopy = () => cloneTree(section, [empty, ''], { what: 'copy the empty mount' });
  for (const path of MASKED_IN_PROC.directories) hide(proc, path, emptyCopy);
  const throttled = throttles.map((cpu) => `devices/system/cpu/cpu${cpu}/thermal_throttle`);
  for (const path of ['devices/virtual/powercap', ...throttled]) hide(sys, path, emptyCopy);
  // The node that mountDev has just made, by fd: not whatever an image calls /dev/null (CVE-2025-31133).
  for (const path of MASKED_IN_PROC.files) hide(proc, path, () => cloneTree(section, [dev, 'null']));
  for (const path of READ_ONLY_IN_PROC) protect(tree, proc, path);
}

const ABSENT = { tolerate: ['ENOENT'] } as const;

/** Makes one path below /proc read-only by binding it over itself. */
function protect({ section }: InRoot, proc: Result, path: string): void {
  const target = openInRoot({ section, root: proc }, path, { flags: ['O_PATH'], ...ABSENT });
  const copy = cloneTree(section, [target, ''], { what: `bind /proc/${path}` });
  setAttributes(section, copy, {
    attributes: ['MOUNT_ATTR_RDONLY', 'MOUNT_ATTR_NOSUID', 'MOUNT_ATTR_NODEV', 'MOUNT_ATTR_NOEXEC'],
  });
  attach(section, [copy, target], { what: `make /proc/${path} read-only` });
}
