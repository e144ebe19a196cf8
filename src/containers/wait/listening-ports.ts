import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { DEFAULT_TIMEOUT, type WaitOptions, type WaitStrategy, type WaitTarget } from './strategy.ts';

/** State of a listening socket in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 25;

/**
 * Ready when every port listens inside the container and accepts a connection from outside.
 *
 * Looks from outside only (the container's /proc/net/tcp and tcp6, then a TCP connect), so the image needs no shell.
 * `ports`: default, all that the options or the image expose.
 */
export function forListeningPorts(
  ports?: readonly number[],
  { timeout = DEFAULT_TIMEOUT }: WaitOptions = {},
): WaitStrategy {
  return {
    what: ports === undefined ? 'every exposed port to listen' : `port ${ports.join(', ')} to listen`,
    timeout,
    async ready(target, signal) {
      let pause = FIRST_PAUSE;
      const wanted = ports ?? target.ports;
      while (!(await areOpen(target, wanted))) {
        await delay(pause, undefined, { signal });
        pause = Math.min(pause * 1.3, LONGEST_PAUSE);
      }
    },
  };
}

async function areOpen(target: WaitTarget, ports: readonly number[]): Promise<boolean> {
  const listening = await listeningPorts(target.pid);
  if (!ports.every((port) => listening.has(port))) return false;
  const accepted = await Promise.all(ports.map((port) => accepts(target.ipAddress, port)));
  return accepted.every(Boolean);
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

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
