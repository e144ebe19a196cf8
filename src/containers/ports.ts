import { readFileSync } from 'node:fs';
import type { ImageConfig } from '../images/store/image.ts';

/** TCP ports, from the options if these name any, else from an image's `{"5432/tcp": {}}`. */
export function exposedPorts(ports: readonly number[] | undefined, config: ImageConfig): number[] {
  if (ports !== undefined) return [...ports];
  return Object.keys(config.ExposedPorts ?? {})
    .map((entry) => entry.split('/') as [string, string?])
    .filter(([, protocol = 'tcp']) => protocol === 'tcp')
    .map(([port]) => Number(port));
}

/** Host pid of the only child of a process. @throws Error ENOENT when the process is gone */
export function onlyChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0]);
}
