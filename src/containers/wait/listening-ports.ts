import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { port } from '../option-schemas.ts';
import { untilNothingIsWrong } from './attempts.ts';
import { checkWait, waitShape } from './check.ts';
import { DEFAULT_TIMEOUT, type WaitOptions, type WaitStrategy, type WaitTarget } from './strategy.ts';

/** State of a listening socket in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';

/**
 * Ready when every port listens inside the container and accepts a connection from outside.
 *
 * Looks from outside only (the container's /proc/net/tcp and tcp6, then a TCP connect), so the image needs no shell.
 * `ports`: default, all that the options or the image expose.
 */
export function forListeningPorts(ports?: readonly number[], options: WaitOptions = {}): WaitStrategy {
  checkWait('forListeningPorts', SHAPE, { ports, ...options });
  return {
    what: ports === undefined ? 'every exposed port to listen' : `port ${ports.join(', ')} to listen`,
    timeout: options.timeout ?? DEFAULT_TIMEOUT,
    ready: (target, signal) =>
      untilNothingIsWrong(() => whatIsWrong(target, { ports: ports ?? target.ports, signal }), { signal }),
  };
}

const SHAPE = lazy(() => ({ ...waitShape, ports: z.optional(z.array(port).check(z.minLength(1))) }));

async function whatIsWrong(
  target: WaitTarget,
  { ports, signal }: { ports: readonly number[]; signal: AbortSignal },
): Promise<string | undefined> {
  const listening = await listeningPorts(target.pid);
  const closed = ports.filter((port) => !listening.has(port));
  if (closed.length > 0) return `nothing listens on ${closed.join(', ')}`;
  const accepted = await Promise.all(ports.map((port) => accepts({ ...target.endpoint(port), signal })));
  const refused = ports.filter((_, i) => !accepted[i]);
  return refused.length === 0 ? undefined : `${refused.join(', ')} listens but accepts no connection`;
}

async function listeningPorts(pid: number): Promise<Set<number>> {
  const ports = new Set<number>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of (await readTable(`/proc/${pid}/net/${table}`)).split('\n').slice(1)) {
      const [, local, , state] = line.trim().split(/\s+/);
      if (state === LISTEN) ports.add(Number.parseInt(local!.slice(local!.lastIndexOf(':') + 1), 16));
    }
  }
  return ports;
}

/** A host without IPv6 has no tcp6, and a container that has just died has neither. */
async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EINVAL')) return '';
    throw error;
  }
}

function accepts(address: { host: string; port: number; signal: AbortSignal }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
