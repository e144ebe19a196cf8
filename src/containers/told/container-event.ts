import type { ContainerRecord } from '../container-record.ts';
import type { ToldAction } from './tell.ts';

/** Something that has happened to a container of this home, whichever process has done it. */
export interface ContainerEvent {
  readonly action: 'create' | 'start' | 'die' | 'destroy' | ToldAction;
  readonly at: Date;
  readonly id: string;
  readonly name: string;
  /** What the image was named by. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What else Docker tells of it: `exitCode` of `die`, `signal` of `kill`, `execID`, `oldName`. */
  readonly attributes: Readonly<Record<string, string>>;
}

export function eventOf(
  { name, spec, image, options }: ContainerRecord,
  { action, at, attributes = {} }: Pick<ContainerEvent, 'action' | 'at'> & Partial<ContainerEvent>,
): ContainerEvent {
  const labels = { ...image.config.Labels, ...options.labels };
  return { action, at, id: spec.id, name, image: image.reference, labels, attributes };
}
