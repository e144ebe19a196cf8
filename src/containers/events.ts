import { EventEmitter } from 'node:events';
import type { ContainerExit } from './container-error.ts';
import type { ContainerParts } from './container-parts.ts';
import type { HealthStatus } from './health/health-state.ts';
import { onOomKill } from './oom-kills.ts';
import { tell } from './told/tell.ts';

/** What a container tells to whoever listens. A listener keeps no process alive. */
export interface ContainerEvents {
  /** It has ended; once a run. */
  exit: [exit: ContainerExit];
  /** The kernel has killed one of its processes for want of memory; the container itself may go on. */
  oom: [];
  /** Its health check has come to another verdict. */
  health: [status: HealthStatus];
}

export type ContainerEmitter = EventEmitter<ContainerEvents>;

/** Has the handle tell what becomes of its present run. */
export function announceRun(parts: ContainerParts): void {
  const { run, events } = parts;
  if (run.exit !== undefined) return;
  run.announcer = parts;
  onOomKill(parts, (kills) => {
    // What ended the container is in its run's record.
    if (run.ours && run.exit === undefined)
      tell(parts, { action: 'oom', attributes: { kills: String(kills) } });
    events.emit('oom');
  });
  run.health?.on('change', (status) => {
    // A spare's handle hears of it as well as that of the container that it has become.
    if (run.announcer === parts) tell(parts, { action: `health_status: ${status}` });
    events.emit('health', status);
  });
  run.exited.then(({ exitCode, oomKilled }) => {
    // One that others have taken over from ended then.
    if (parts.run === run) events.emit('exit', { exitCode, oomKilled });
  });
}

export function openEvents(): ContainerEmitter {
  return new EventEmitter<ContainerEvents>();
}

type Listener<Name extends keyof ContainerEvents> = (...args: ContainerEvents[Name]) => void;

/** The part of a handle that tells what happens. */
export class EventSource {
  readonly #emitter: ContainerEmitter;

  constructor(emitter: ContainerEmitter) {
    this.#emitter = emitter;
  }

  /** Calls `listener` whenever it happens, until `off`. A listener keeps no process alive. */
  on<Name extends keyof ContainerEvents>(name: Name, listener: Listener<Name>): this {
    this.#emitter.on(name, listener as never);
    return this;
  }

  /** Calls `listener` the next time. */
  once<Name extends keyof ContainerEvents>(name: Name, listener: Listener<Name>): this {
    this.#emitter.once(name, listener as never);
    return this;
  }

  off<Name extends keyof ContainerEvents>(name: Name, listener: Listener<Name>): this {
    this.#emitter.off(name, listener as never);
    return this;
  }
}
