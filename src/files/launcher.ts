import { reap } from '../kernel/ffi/libc.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';
import { spawnProcess } from '../kernel/processes/spawn.ts';

/** The command line of a file worker and the descriptors that it gets; everything else it must not have. */
export interface WorkerCommand {
  readonly path: string;
  readonly argv: readonly string[];
  /** Descriptor in the worker -> descriptor here. The launcher does not close them. */
  readonly fds: ReadonlyMap<number, number>;
}

export interface LaunchedWorker {
  /** SIGKILL. Nothing happens when it has ended. */
  kill(): void;
  /** To be called once its fd 2 is closed, which only its end does. Resolves when nothing of it is left. */
  ended(): Promise<void>;
}

/**
 * Starts a file worker with the rights that its work takes: with an empty environment and in `/`, because neither ours nor
 * an image's has a say in it. The one place in which root and an ordinary user differ.
 */
export type WorkerLauncher = (command: WorkerCommand) => LaunchedWorker;

/** The launcher for root: the worker is our own child. */
export const launchDirectly: WorkerLauncher = ({ path, ...command }) => {
  const pid = spawnProcess({ program: path, ...command, cwd: '/' });
  let reaped: Promise<void> | undefined;
  return {
    kill() {
      if (reaped !== undefined) return;
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (!isErrno(error, 'ESRCH')) throw error;
      }
    },
    ended() {
      reaped ??= reap(pid);
      return reaped;
    },
  };
};
