/** How the process that a shim watched over ended. */
export interface ProcessExit {
  /** 0-255; 128 + N when signal N ended it, as Docker reports it. */
  readonly exitCode: number;
  /** The bytes that the program's teardown left in its report slot. */
  readonly report: Buffer;
  readonly at: Date;
}

/** What anybody can do with a shim's child: its launcher by the control socket, others by what the kernel lets them see. */
export interface Supervision {
  /** Resolves when the child has ended and the shim is gone. Never rejects; a shim that was killed counts as 137. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal to the child. Nothing happens when the child is gone. */
  signal(signal: number): void;
  /** Has `listener` called when the program's notice descriptor speaks, which only the launcher hears. */
  onNotice(listener: () => void): void;
  /** Keeps the event loop alive until the child ends. */
  ref(): void;
  /** Lets the event loop end while the child runs. */
  unref(): void;
  /** Has the child go on when its launcher ends. Nothing where it does so anyway. */
  detach(): void;
  /** Stops looking, for who does not need to know any longer; `exited` may then never resolve. What runs goes on. */
  release(): void;
}

/** A wait status (wait(2)) as Docker's exit code. */
export function exitCodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** How it counts when the shim could not tell: it was killed. */
export const KILLED = 137;

/** For a child that ended before anybody looked. */
export function endedSupervision(exit: ProcessExit): Supervision {
  const nothing = () => {};
  return {
    exited: Promise.resolve(exit),
    signal: nothing,
    ref: nothing,
    unref: nothing,
    release: nothing,
    detach: nothing,
    onNotice: nothing,
  };
}
