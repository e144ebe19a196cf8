import { existsSync } from 'node:fs';
import { readIfThere } from './kernel-file.ts';

/** Which kind of container this process is in: `docker`, `podman`, `lxc`, …; undefined when there is no sign of one. */
export function enclosingContainer(): string | undefined {
  // What the container managers themselves leave for this purpose (systemd's Container Interface; podman-run(1)).
  const named =
    readIfThere('/run/systemd/container') ||
    /(?:^|\0)container=([^\0]+)/.exec(readIfThere('/proc/1/environ') ?? '')?.[1];
  if (named) return named;
  if (existsSync('/run/.containerenv')) return 'podman';
  return existsSync('/.dockerenv') ? 'docker' : undefined;
}
