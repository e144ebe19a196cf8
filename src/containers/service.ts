import type { Container } from './container.ts';
import type { ContainerOptions } from './container-options.ts';

/** What is known of the service in a container beyond the container: what a preset tells its handle. */
export interface Service {
  /** Brings it to rest before what it has written is kept. */
  quiesce?(container: Container): Promise<void>;
  /** Gives a handle what the preset's handles have. */
  extend(container: Container): void;
  /** How it starts on what it has written, where that is not how it started. */
  readonly again?: Partial<Omit<ContainerOptions, 'image' | 'signal'>> | undefined;
}
