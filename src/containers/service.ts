import type { Container } from './container.ts';
import type { ContainerOptions } from './container-options.ts';

/** What is known of the service in a container beyond the container: what a preset tells its handle. */
export interface Service {
  /** Brings it to rest before what it has written is kept. */
  quiesce?(container: Container): Promise<void>;
  /** Brings into memory what its first user would wait for. */
  warm?(container: Container): Promise<void>;
  /** Gives a handle what the preset's handles have. */
  extend(container: Container): void;
  /** How it starts on what it has written, where that is not how it started. */
  readonly again?: Partial<Omit<ContainerOptions, 'image' | 'signal'>> | undefined;
  /** What it comes from, for processes that have only a snapshot's record. */
  readonly origin?: ServiceOrigin | undefined;
}

/** What a service can be told again from: plain data. */
export interface ServiceOrigin {
  /** The preset's name. */
  readonly preset: string;
  readonly version: number;
  /** The preset's own options, with its defaults. */
  readonly options: object;
}
