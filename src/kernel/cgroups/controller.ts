import type { Limits } from './limits.ts';
import type { ControllerName } from './places.ts';

/** One file to write, relative to the container's cgroup. */
export interface Setting {
  readonly file: string;
  readonly value: string;
  /**
   * What it means when the kernel lacks the file: nothing, so that the setting is left out, or an error's message. By
   * default it is an error like any other.
   */
  readonly missing?: 'skip' | { readonly message: string; readonly hint: string };
}

/** How the limits of one controller are written in each version of cgroups; a file of its own per controller. */
export interface Controller {
  readonly name: ControllerName;
  /** The limits that are this controller's; it has something to do when any of them was given. */
  readonly limits: readonly (keyof Limits)[];
  /** @throws MayflyError when the kernel could only refuse or be harmed by such a limit. */
  check(limits: Limits, machine: Machine): void;
  /** `before`: what is in force already, because the order of writing may depend on it. */
  v1(limits: Limits, context: SettingContext): readonly Setting[];
  v2(limits: Limits, context: SettingContext): readonly Setting[];
}

export interface SettingContext {
  readonly before: Limits;
  readonly machine: Machine;
}

/** What limits are measured against. Read when it is asked for. */
export interface Machine {
  /** Numbers of the CPUs that the kernel uses. */
  readonly cpus: ReadonlySet<number>;
  readonly memoryNodes: ReadonlySet<number>;
  /** What shares a disk's time out by weight: the scheduler of a disk, or the io.cost controller; undefined: nothing. */
  readonly ioWeighing: 'bfq' | 'iocost' | undefined;
  /** In words, for errors: `vda: mq-deadline`. */
  readonly schedulers: string;
}
