/** A limit of setrlimit(2) in the unit of its resource; -1: none. One number is soft and hard limit at once. */
export type UlimitOption = number | { readonly soft: number; readonly hard: number };

/** What a container's processes may do; names and defaults are Docker's. */
export interface PrivilegeOptions {
  /**
   * As much as this process may do itself: all of its capabilities, no seccomp filter, nothing in /proc and /sys hidden or
   * read-only, and every device of the host. The namespaces stay. For what runs containers itself, not for services.
   */
  readonly privileged?: boolean;
  /** Capabilities beside the default ones, with or without `CAP_`; `ALL`. */
  readonly capAdd?: readonly string[];
  /** Default capabilities to leave out; `ALL`. `capAdd` counts more. */
  readonly capDrop?: readonly string[];
  /**
   * `seccomp=unconfined`, `seccomp=/path/of/profile.json` (Docker's format), `seccomp=builtin`, `no-new-privileges` (or
   * `no-new-privileges:false`). Default: Docker's default filter, and setuid programs work, as in Docker.
   */
  readonly securityOpt?: readonly string[];
  /** `{ nofile: 1024, core: { soft: 0, hard: -1 } }`. Default: those of this process, but as many open files as may be. */
  readonly ulimits?: Readonly<Record<string, UlimitOption>>;
  /**
   * `private`: users and groups of a range that nobody else has, so that the container's root is nobody outside. What is on
   * disk keeps its owners; the files of bind mounts belong to nobody in there. Takes root and Linux 5.19; not with
   * `privileged`. Default: the host's for root, and for an ordinary user those that he has.
   */
  readonly userns?: 'private';
}
