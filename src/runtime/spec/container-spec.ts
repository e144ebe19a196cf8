import type { CapabilityName } from '../../kernel/capabilities.ts';
import type { Limits } from '../../kernel/cgroups/limits.ts';
import type { DeviceNode } from '../../kernel/devices/device-node.ts';
import type { SectionBuilder } from '../../kernel/program/builder.ts';
import type { PrivilegeSpec, UlimitSpec } from './privilege-spec.ts';

/** What one process runs as, fully resolved: the same for a container's first process and for an exec. */
export interface ProcessSpec {
  readonly argv: readonly string[];
  /** `NAME=value` entries. */
  readonly env: readonly string[];
  /** Absolute path in the rootfs; created by a start when it is missing. */
  readonly cwd: string;
  readonly user: UserIds;
  readonly capabilities: readonly CapabilityName[];
  /** Encoded sock_filter array; undefined for no filter. */
  readonly seccomp: Uint8Array | undefined;
  readonly noNewPrivileges: boolean;
  /** Limits that were asked for; they count more than `openFiles`. */
  readonly ulimits: readonly UlimitSpec[];
  /** Soft and hard limit of open files. */
  readonly openFiles: readonly [soft: number, hard: number];
  /** The size that its terminal begins with; undefined: it has none, but three pipes. */
  readonly terminal: TerminalSize | undefined;
}

/** Of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; always includes `gid` (CVE-2022-36109). */
  readonly groups: readonly number[];
}

/** One more mount of the container, in the order given. */
export type MountSpec =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size?: number; readonly mode?: number };

/** The union mount: paths are relative to `directory`, short enough that 120 layers fit one page of mount data. */
export interface RootfsSpec {
  readonly directory: string;
  /** Bottom to top. */
  readonly layers: readonly string[];
  /** With `storage`, a directory to mount that on. */
  readonly upper: string;
  readonly work: string;
  /** Bytes of memory that the upper may take, on a file system of its own; undefined: it lies on the disk. */
  readonly storage: number | undefined;
  /** What the upper in the storage is to be, and so the root. Default: what new directories are. */
  readonly storageRoot?: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
  /** Where it is mounted, in the container's own mount namespace only. */
  readonly target: string;
}

/** How the container joins its network: instructions only, so that the runtime knows no network. */
export interface NetworkSteps {
  /** Share the network namespace of the host instead of having one. */
  readonly host: boolean;
  /** In the shim before clone: makes the container's network namespace and pins it as fd 7. */
  prepare(shim: SectionBuilder): void;
  /** In the shim after clone, while init mounts. */
  connect(shim: SectionBuilder): void;
}

/** A device node that the container gets beside the usual ones. */
export interface DeviceSpec extends DeviceNode {
  /** Its path on the host. */
  readonly host: string;
  /** Absolute path in the container. */
  readonly path: string;
  /** Any of r, w, m. */
  readonly access: string;
}

export interface CgroupSpec {
  /** Of its directories: the container's id, or that of the spare that it took over. */
  readonly name: string;
  /** cgroup2 directory that the process is born in. */
  readonly unified: string | undefined;
  /** v1 `cgroup.procs` files that it writes itself into. */
  readonly joinFiles: readonly string[];
  /** File whose content is read when the container has ended, for the OOM count; it may be made later. */
  readonly oomFile: string | undefined;
  /** How the first process learns of an OOM kill while it runs: memory is limited or counted from the start. */
  readonly oomNotice: 'v1' | 'v2' | undefined;
  /** Directories that the container may be in by the end, to be removed then; an exec joins those there are. */
  readonly possible: readonly string[];
  /** What is in force, updates included. */
  readonly limits: Limits;
  /** From when memory, disk traffic and processes are counted, ISO 8601; undefined: they are not. */
  readonly countedSince: string | undefined;
  /** What to show below /sys/fs/cgroup, read-only. */
  readonly mounts: readonly CgroupMount[];
}

/** `name` is the directory below /sys/fs/cgroup; empty on a pure v2 host. */
export interface CgroupMount {
  readonly name: string;
  readonly type: 'cgroup' | 'cgroup2';
  readonly options: Readonly<Record<string, string | true>>;
}

/** Whose ids the container's user and group ids are. */
export type IdSpec =
  /** The host's. */
  | { readonly kind: 'host' }
  /** Those of an ordinary user's one user namespace, which has ids below `count`. */
  | { readonly kind: 'user'; readonly count: number }
  /** A range that nobody else has: 0 is `base` on the host, and so on. */
  | { readonly kind: 'private'; readonly base: number; readonly count: number };

/** Ports of the host that lead into the container. */
export interface ForwardSpec {
  /** IPv4 address, seen from inside. */
  readonly address: string;
  /** Port in the container of each listening socket, in the order in which the launcher passes these. */
  readonly ports: readonly number[];
  /** True: after these the launcher passes a socket, over which others may take their place. */
  readonly adopts: boolean;
}

/** Everything about one container; no field is optional in meaning, none is looked up later. */
export interface ContainerSpec {
  readonly id: string;
  readonly hostname: string;
  readonly process: ProcessSpec;
  readonly privileges: PrivilegeSpec;
  /** False: the image's process is PID 1 itself, in a PID namespace nested in the guarded one. */
  readonly init: boolean;
  readonly rootfs: RootfsSpec;
  readonly mounts: readonly MountSpec[];
  /** Files of the host bound over files of the container: /etc/hosts and the like. */
  readonly files: readonly { readonly source: string; readonly target: string }[];
  readonly devices: readonly DeviceSpec[];
  /** Bytes of /dev/shm. */
  readonly shmSize: number;
  /** Namespaces that are another container's, which the launcher hands over as `sharedIpc` and `sharedPid`. */
  readonly shared: { readonly ipc: boolean; readonly pid: boolean };
  /** Seconds by which the clocks of the container's time namespace are ahead of the host's; undefined: it shares the host's. */
  readonly clockOffsets: { readonly monotonic: number; readonly boottime: number } | undefined;
  /** Nothing can be written outside of mounts, /dev, /dev/shm and the like. */
  readonly readOnly: boolean;
  /** Directories that can be written all the same: the image's VOLUMEs. Empty when not `readOnly`. */
  readonly writable: readonly string[];
  /** Settings of the container's own namespaces: path below /proc/sys, value. */
  readonly sysctls: readonly { readonly path: string; readonly value: string }[];
  readonly ids: IdSpec;
  readonly network: NetworkSteps;
  /** Undefined when no port is published. */
  readonly forward: ForwardSpec | undefined;
  readonly cgroup: CgroupSpec;
  readonly log: { readonly path: string; readonly limit: number };
  /** File in which the shim writes down that the container has started, and how it ended. */
  readonly runRecord: string;
  /** File in which the shim and init write down when they were where. */
  readonly marks: string;
  /** FIFO that the shim holds open for life: whoever reads it sees end of file when the shim is gone. */
  readonly pulse: string;
  /** Socket at which clients attach to the streams of the first process. */
  readonly attach: string;
  /** True: that process reads what clients write. A terminal is read in any case. */
  readonly openStdin: boolean;
  /** True: the container outlives the process that started it. */
  readonly detached: boolean;
}
