import { countOomKills } from '../kernel/cgroups/memory.ts';
import type { PortAdoption } from '../networks/port-adoption.ts';
import type { ProcessExit, Supervision } from '../runtime/launch/supervision.ts';
import type { ContainerExit } from './container-error.ts';
import type { ContainerParts } from './container-parts.ts';
import type { ContainerHealth } from './health/health.ts';

export interface EndedRun extends ContainerExit {
  readonly at: Date;
}

/** One run of a container, from a start to its end. */
export class Run {
  /** Host pid of the container's init. */
  readonly pid: number;
  readonly supervision: Supervision;
  /** Whether this process has started it, rather than found it. */
  readonly ours: boolean;
  readonly exited: Promise<EndedRun>;
  /** How it ended, once it has. */
  exit: EndedRun | undefined;
  /** In the process that started the container, when this has a health check. */
  health: ContainerHealth | undefined;
  /** Of a spare with published ports: the way to give its forwarder those of the container that it becomes. */
  readonly adoption: PortAdoption | undefined;
  /** The handle that tells of it, of those in this process: the latest. */
  announcer: ContainerParts | undefined;

  /** Settles when nobody lets its processes stand still any longer who has begun to. */
  standing: Promise<void> = Promise.resolve();
  /** Whether its processes have been stopped for a while, where there is no cgroup to tell that. */
  still = false;

  constructor({
    pid,
    supervision,
    ours,
    adoption,
  }: Pick<Run, 'pid' | 'supervision' | 'ours'> & Partial<Pick<Run, 'adoption'>>) {
    this.pid = pid;
    this.supervision = supervision;
    this.ours = ours;
    this.adoption = adoption;
    this.exited = supervision.exited.then((exit) => {
      this.exit = endedRun(exit);
      adoption?.[Symbol.dispose]();
      return this.exit;
    });
    // A script that forgets to stop its containers still ends.
    supervision.unref();
  }
}

/** What the shim told of the end, in a user's words. */
export function endedRun({ exitCode, report, at }: ProcessExit): EndedRun {
  return { exitCode, oomKilled: countOomKills(report.toString('latin1')) > 0, at };
}
