import type { Container } from '../../containers/container.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Passes signals on to a container's process until it is disposed of. */
export function forwardSignals(container: Container): Disposable {
  const forward = (signal: NodeJS.Signals) => void container.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  return {
    [Symbol.dispose]() {
      for (const signal of FORWARDED) process.off(signal, forward);
    },
  };
}
