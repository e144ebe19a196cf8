import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { closeDescriptor, openDescriptor } from '../../kernel/ffi/descriptor.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { openPidfd, signalPidfd, withChildOf } from '../../kernel/processes/pidfd.ts';
import { deadlineIn, poll } from '../../support/deadline.ts';
import { deferred } from '../../support/deferred.ts';
import { hasEnded, type RunRecord, readOpenRunRecord } from '../state/run-record.ts';
import type { ProcessExit, Supervision } from './supervision.ts';

const SIGKILL = 9;
/** The kernel lets go of a dead process's descriptors one after the other. */
const RELEASE_TIMEOUT = 10_000;

export interface Observed {
  readonly shimPid: number;
  /** Paths, as in the container's spec. */
  readonly runRecord: string;
  readonly pulse: string;
  /** True while the shim holds the container's lock. */
  readonly isAlive: () => boolean;
}

/**
 * The supervision of a container that another process, or another thread, has launched: signals go to its init by pidfd, its end
 * shows as end of file on the FIFO that the shim holds open, and how it ended stands in the run record.
 */
export class ObservedProcess implements Supervision {
  readonly exited: Promise<ProcessExit>;
  readonly pid: number;
  readonly #observed: Observed;
  readonly #pulse: Socket;
  #released = false;

  /**
   * `ended`: the run that is written down is over, and its shim is about to end, or another one to be started.
   *
   * @throws Error ENOENT when the directory is gone; undefined as long as the container has not started.
   */
  static open(observed: Observed): ObservedProcess | 'ended' | undefined {
    const record = openSync(observed.runRecord, 'r');
    const found = readOpenRunRecord(record);
    if (found !== undefined) {
      const pulse = openDescriptor(observed.pulse, constants.O_RDONLY | constants.O_NONBLOCK);
      if (hasWriter(pulse)) return new ObservedProcess(observed, { record, found, pulse });
      closeDescriptor(pulse);
    }
    closeSync(record);
    return found && 'ended';
  }

  private constructor(
    observed: Observed,
    { record, found, pulse }: { record: number; found: RunRecord; pulse: number },
  ) {
    this.#observed = observed;
    this.pid = found.pid;
    const exit = deferred<ProcessExit>();
    this.exited = exit.promise;
    const finish = () => {
      exit.resolve(readOpenRunRecord(record)!.exit);
      closeSync(record);
    };
    this.#pulse = new Socket({ fd: pulse, readable: true, writable: false });
    this.#pulse.on('error', () => {});
    this.#pulse.on('close', () => {
      if (this.#released) return closeSync(record);
      awaitRelease(observed.isAlive).then(finish);
    });
    this.#pulse.resume();
  }

  signal(signal: number): void {
    const { shimPid, isAlive } = this.#observed;
    const found = withChildOf(shimPid, this.pid, (pidfd) => {
      // The shim lives, so the process with its pid is the shim, and the pidfd stands for a child of it.
      if (isAlive()) signalPidfd(pidfd, signal);
      return true;
    });
    if (!found && signal === SIGKILL) this.#endShim();
  }

  /** The child has ended, and the shim waits for who reads its last words. All else is done, and written down. */
  #endShim(): void {
    const { shimPid, isAlive, runRecord } = this.#observed;
    if (!hasEnded(runRecord)) return;
    let pidfd: number;
    try {
      pidfd = openPidfd(shimPid);
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return;
      throw error;
    }
    // Opened before it is seen to live, so that it stands for the shim and nobody else.
    if (isAlive()) signalPidfd(pidfd, SIGKILL);
    closeDescriptor(pidfd);
  }

  /** The shim tells its launcher only. */
  onNotice(): void {}

  /** It outlives its launcher, or that is not ours to decide. */
  detach(): void {}

  ref(): void {
    this.#pulse.ref();
  }

  unref(): void {
    this.#pulse.unref();
  }

  release(): void {
    this.#released = true;
    this.#pulse.destroy();
  }
}

/**
 * Whether somebody has a FIFO open for writing, which nobody writes to. Of whom there is, the end is told as end of file; of who has
 * closed it before, nothing is (fifo(7), pipe_poll in the kernel's fs/pipe.c). The kernel closes the files of who was killed one after
 * the other, this one before the lock.
 */
function hasWriter(fd: number): boolean {
  try {
    readSync(fd, Buffer.alloc(1));
    return false;
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return true;
    throw error;
  }
}

/** Resolves when the shim, which is ending, has let go of the container's lock; a while later, when somebody else has it by then. */
export async function awaitRelease(isAlive: () => boolean): Promise<void> {
  const gone = () => (isAlive() ? undefined : true);
  await poll(gone, { deadline: deadlineIn(RELEASE_TIMEOUT), what: 'the shim to let go of its lock' }).catch(
    () => {},
  );
}
