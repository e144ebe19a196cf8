import type { AttachedStreams } from '../../containers/attach/attached-streams.ts';
import type { Container } from '../../containers/container.ts';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import type { Output } from '../output.ts';
import { runSession, type SessionEnd } from '../terminal/session.ts';
import { forwardSignals } from './signals.ts';

export interface Attendance {
  readonly container: Container;
  readonly streams: AttachedStreams;
  readonly output: Output;
  /** Our stdin is passed on. */
  readonly interactive: boolean;
  readonly detachKeys: string;
  /** Signals are passed on, unless there is a terminal, of which they come as keys. */
  readonly sigProxy: boolean;
  /** The end of our stdin is not that of the container's. Default: false. */
  readonly keepsInputOpen?: boolean;
}

/** How it ended: by the detach keys, by the end of the container, or because nobody read our output any longer. */
export type AttendanceEnd = SessionEnd | 'unread';

/** Shows what a container's process writes and gives it what is typed, until it ends or is left. */
export async function attend(attendance: Attendance): Promise<AttendanceEnd> {
  const { container, streams, sigProxy } = attendance;
  const tty = container.parts.record.spec.process.terminal !== undefined;
  using _signals = sigProxy && !tty ? forwardSignals(container) : undefined;
  try {
    return await runSession({ ...attendance, tty });
  } catch (error) {
    if (isErrno(error, 'EPIPE')) return 'unread';
    throw error;
  } finally {
    streams.close();
  }
}

/** As a shell has it for a command whose output nobody reads: 128 + SIGPIPE. */
export const UNREAD = 141;
