import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The directories that mayfly writes to; nothing on the host changes outside them. All absolute, mode 0700. */
export interface Home {
  /** Layers and everything else that may be large. */
  readonly root: string;
  readonly layers: string;
  readonly images: string;
  /** One directory and one lock file per container. */
  readonly containers: string;
  /** One directory per snapshot. */
  readonly snapshots: string;
  /** State of networks; gone after a reboot, as the networks are. */
  readonly networks: string;
  /** Sealed results of expensive steps, keyed by content. */
  readonly cache: string;
}

/**
 * Where this process keeps its state: root's in `/var/lib/mayfly` and `/run/mayfly`, an ordinary user's in
 * `$XDG_DATA_HOME/mayfly` (default `~/.local/share/mayfly`) and `$XDG_RUNTIME_DIR/mayfly` (default below the other), or
 * everything below `MAYFLY_HOME`.
 */
export function locateHome(env: NodeJS.ProcessEnv = process.env): Home {
  const { root, runtime } = places(env);
  return {
    root,
    layers: join(root, 'layers'),
    images: join(root, 'images'),
    containers: join(root, 'containers'),
    snapshots: join(root, 'snapshots'),
    networks: join(runtime, 'networks'),
    cache: join(root, 'cache'),
  };
}

/** The same, with what is missing made; `made` is told each of the directories that was. */
export function resolveHome(
  env: NodeJS.ProcessEnv = process.env,
  made?: (directory: string, home: Home) => void,
): Home {
  const home = locateHome(env);
  for (const directory of Object.values(home)) {
    // Mode 0700, because setuid programs inside layers must not be reachable by other users of the host (CVE-2021-41091).
    if (mkdirSync(directory, { recursive: true, mode: 0o700 }) !== undefined) made?.(directory, home);
  }
  return home;
}

function places(env: NodeJS.ProcessEnv): { root: string; runtime: string } {
  if (env.MAYFLY_HOME) return { root: env.MAYFLY_HOME, runtime: env.MAYFLY_HOME };
  if (process.geteuid!() === 0) return { root: '/var/lib/mayfly', runtime: '/run/mayfly' };
  const root = join(env.XDG_DATA_HOME || join(homedir(), '.local/share'), 'mayfly');
  return { root, runtime: env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'mayfly') : root };
}
