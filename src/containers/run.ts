import { countOomKills } from '../kernel/cgroups/memory.ts';
import type { Supervision } from '../runtime/launch/supervision.ts';
import type { ContainerExit } from './container-error.ts';
import type { ContainerHealth } from './health/health.ts';

export interface EndedRun extends ContainerExit {
  readonly at: Date;
}

/** One run of a container, from a start to its end. */
export class Run {
  /** Host pid of the container's init. */
  readonly pid: number;
  readonly supervision: Supervision;
  readonly exited: Promise<EndedRun>;
  /** How it ended, once it has. */
  exit: EndedRun | undefined;
  /** In the process that started the container, when this has a health check. */
  health: ContainerHealth | undefined;

  constructor({ pid, supervision }: { pid: number; supervision: Supervision }) {
    this.pid = pid;
    this.supervision = supervision;
    this.exited = supervision.exited.then(({ exitCode, report, at }) => {
      this.exit = { exitCode, oomKilled: countOomKills(report.toString('latin1')) > 0, at };
      return this.exit;
    });
    // A script that forgets to stop its containers still ends.
    supervision.unref();
  }
}
