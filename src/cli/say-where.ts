import type { Container } from '../containers/container.ts';
import type { Output } from './output.ts';

/** Says on stderr where a service is reached: stdout is the container's, or its id's. */
export function sayWhere(container: Container, output: Output): void {
  const { url } = container as { url?: unknown };
  output.warn(typeof url === 'string' ? url : `${container.host}:${container.ports[0] ?? ''}`);
}
