import type { CapabilityName } from '../../kernel/capabilities.ts';
import type { SeccompChoice } from '../compile/seccomp-filters.ts';

/** A resource limit of setrlimit(2), by the kernel's number of the resource. */
export interface UlimitSpec {
  /** Docker's name: `nofile`. */
  readonly name: string;
  readonly resource: number;
  /** In the unit of the resource; undefined: no limit. */
  readonly soft: number | undefined;
  readonly hard: number | undefined;
}

/** What the processes of a container may do, its first one and every exec alike. A value that is written down. */
export interface PrivilegeSpec {
  /** Everything that is here: nothing is hidden or read-only, and all devices of the host are there. */
  readonly privileged: boolean;
  readonly capabilities: readonly CapabilityName[];
  readonly seccomp: SeccompChoice;
  /** No setuid program and no file capability gives more (prctl(2), PR_SET_NO_NEW_PRIVS). */
  readonly noNewPrivileges: boolean;
  readonly ulimits: readonly UlimitSpec[];
}
