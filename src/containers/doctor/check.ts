import type { ProbeUser } from '../../kernel/probe/namespaces.ts';
import type { Home } from '../../support/home.ts';
import type { Distribution } from './distribution.ts';
import type { Laboratory } from './laboratory.ts';

/** By what rights containers are started: those of root, or those of an ordinary user in a user namespace. */
export type Rung = 'root' | 'rootless';

export type CheckGroup = 'system' | 'privileges' | 'cgroups' | 'storage' | 'network' | 'tools';

/** One thing that was looked at. */
export interface Check {
  /** Stable, for programs: `user-namespaces`. */
  readonly id: string;
  readonly group: CheckGroup;
  /** `lacking`: containers start, but something cannot be had; `missing`: no container starts for want of it. */
  readonly status: 'ok' | 'lacking' | 'missing';
  /** What was found, in a few words. */
  readonly found: string;
  /** What follows from a shortfall. */
  readonly effect?: string;
  /** A command that mends a shortfall, or, where there is none, what to do. */
  readonly fix?: string;
}

/** What the checks go by. */
export interface Examination {
  readonly rung: Rung;
  /** For probes that need rights over a namespace. */
  readonly user: ProbeUser;
  readonly env: NodeJS.ProcessEnv;
  readonly distribution: Distribution;
  readonly laboratory: Laboratory;
  readonly home: Home;
  /** The command, with sudo in front where that takes. */
  asRoot(command: string): string;
}

/** A topic's checks, in the order in which they are shown. */
export type Examine = (examination: Examination) => Check[] | Promise<Check[]>;
