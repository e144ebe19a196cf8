import { readFileSync } from 'node:fs';
import { closeDescriptor } from '../kernel/ffi/descriptor.ts';
import { openPidfd, signalPidfd } from '../kernel/processes/pidfd.ts';
import { MayflyError } from '../support/error.ts';

const SIGKILL = 9;
const SIGCONT = 18;
const SIGSTOP = 19;

/** Of a running container. */
export interface Supervisors {
  readonly shimPid: number;
  readonly initPid: number;
}

/** Pid of what listens on a container's published ports: the first child that its shim has cloned. @throws MayflyError `network.forwarder-gone` */
export function findForwarder({ shimPid, initPid }: Supervisors): number {
  const children = readFileSync(`/proc/${shimPid}/task/${shimPid}/children`, 'latin1').trim().split(' ');
  const found = children.map(Number).find((pid) => pid !== initPid);
  if (found) return found;
  throw forwarderGone();
}

export function forwarderGone(): MayflyError {
  return new MayflyError('network.forwarder-gone', 'what listened on the published ports has ended', {
    hint: 'stop the container and start another one',
  });
}

/** A forwarder that stands still: who connects waits. When this is disposed of it goes on, unless it has been ended. */
export class StillForwarder implements Disposable {
  readonly #pidfd: number;

  /** @throws SystemError ESRCH when it has just ended */
  constructor(pid: number) {
    this.#pidfd = openPidfd(pid);
    signalPidfd(this.#pidfd, SIGSTOP);
  }

  /** Whoever is connected notices; what others listen on as well goes on listening. */
  end(): void {
    signalPidfd(this.#pidfd, SIGKILL);
  }

  [Symbol.dispose](): void {
    signalPidfd(this.#pidfd, SIGCONT);
    closeDescriptor(this.#pidfd);
  }
}
