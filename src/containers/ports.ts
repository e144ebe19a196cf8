import type { ImageConfig } from '../images/store/image.ts';

/** TCP ports, from the options if these name any, else from an image's `{"5432/tcp": {}}`. */
export function exposedPorts(ports: readonly number[] | undefined, config: ImageConfig): number[] {
  if (ports !== undefined) return [...ports];
  return Object.keys(config.ExposedPorts ?? {})
    .map((entry) => entry.split('/') as [string, string?])
    .filter(([, protocol = 'tcp']) => protocol === 'tcp')
    .map(([port]) => Number(port));
}
