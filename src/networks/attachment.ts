import type { SectionBuilder } from '../kernel/program/builder.ts';

/** Instructions that connect a container; written into its program. */
export interface NetworkSteps {
  /** Share the network namespace of the host instead of having one. */
  readonly host: boolean;
  /** In the shim before clone: makes the container's network namespace and pins it as fd 7. */
  prepare(shim: SectionBuilder): void;
  /** In the shim after clone. */
  connect(shim: SectionBuilder): void;
}

/** One container's place on a network, for whoever wants to know it. */
export interface AttachmentFacts {
  readonly networkName: string;
  /** Undefined on the networks `none` and `host`. */
  readonly ip: string | undefined;
  readonly prefix: number | undefined;
  readonly gateway: string | undefined;
  readonly mac: string | undefined;
}

/** By their meaning in the shim. */
export type NetworkDescriptors = Partial<
  Record<'network' | 'firewall' | 'netns' | 'interfaces' | 'connections', number>
>;

/** A place on a network that a container is being started on. */
export interface Attachment {
  readonly facts: AttachmentFacts;
  /** What the shim is to hold of a network that is there already, by its meaning in the shim. */
  readonly fds: NetworkDescriptors;
  readonly steps: NetworkSteps;
  /** To be called when the container's program has run. */
  started(shimPid: number): void;
  /** Gives everything back after a start that failed. When the container has started, its end does: `Networks.release`. */
  cancel(): void;
}
