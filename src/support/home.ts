import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The directories that mayfly writes to; nothing on the host changes outside them. All absolute, mode 0700. */
export interface Home {
  /** Layers and everything else that may be large. */
  readonly root: string;
  readonly layers: string;
  readonly images: string;
  /** One directory and one lock file per container. */
  readonly containers: string;
  /** State of networks; gone after a reboot, as the networks are. */
  readonly networks: string;
  /** Sealed results of expensive steps, keyed by content. */
  readonly cache: string;
}

/** Where this process keeps its state: `/var/lib/mayfly` and `/run/mayfly`, or everything below `MAYFLY_HOME`. */
export function locateHome(env: NodeJS.ProcessEnv = process.env): Home {
  const override = env.MAYFLY_HOME;
  const root = override || '/var/lib/mayfly';
  return {
    root,
    layers: join(root, 'layers'),
    images: join(root, 'images'),
    containers: join(root, 'containers'),
    networks: override ? join(root, 'networks') : '/run/mayfly/networks',
    cache: join(root, 'cache'),
  };
}

/** The same, with what is missing made. */
export function resolveHome(env: NodeJS.ProcessEnv = process.env): Home {
  const home = locateHome(env);
  // Mode 0700, because setuid programs inside layers must not be reachable by other users of the host (CVE-2021-41091).
  for (const directory of Object.values(home)) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return home;
}
