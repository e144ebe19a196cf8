/** A condition on one argument, as an unsigned 64-bit number; the names are libseccomp's comparisons. */
export interface Condition {
  readonly index: number;
  readonly op: 'equal' | 'not-equal' | 'less' | 'less-equal' | 'greater' | 'greater-equal' | 'masked-equal';
  /** A whole number up to 2^53. */
  readonly value: number;
  /** For `masked-equal`: what is compared with `value` is the argument's bits in this mask. */
  readonly mask?: number;
}

/** What becomes of a system call (seccomp(2)). A number is the error that it fails with. */
export type SeccompAction = 'allow' | 'log' | 'trap' | 'kill-thread' | 'kill-process' | number;

/** What becomes of the system calls named. */
export interface Rule {
  readonly names: readonly string[];
  /** All have to hold. Default: none, the rule always applies. */
  readonly when?: readonly Condition[];
  /** Default: `allow`. */
  readonly action?: SeccompAction;
}

/** A filter as policy. What is newer than mayfly's tables fails with ENOSYS, unless the default is to allow. */
export interface Profile {
  readonly rules: readonly Rule[];
  /** What becomes of calls that no rule names, or whose conditions do not hold. */
  readonly otherwise: SeccompAction;
}
