/** One file to write, relative to the container's cgroup. */
export interface Setting {
  readonly file: string;
  readonly value: string;
  /** The kernel may lack the file: swap accounting, say. Then the setting is left out. */
  readonly optional?: true;
}

/** How one limit is written in each version of cgroups; a file of its own per controller. */
export interface Controller<Limit> {
  /** The controller's name, the same in v1 and v2 for all that mayfly uses. */
  readonly name: string;
  /** @throws MayflyError when the kernel could only refuse or be harmed by such a limit. */
  check(limit: Limit): void;
  v1(limit: Limit): readonly Setting[];
  v2(limit: Limit): readonly Setting[];
}
