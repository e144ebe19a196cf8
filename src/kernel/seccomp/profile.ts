/** A condition on one argument, as a 64-bit number; the names are libseccomp's comparisons. */
export interface Condition {
  readonly index: number;
  readonly op: 'equal' | 'less' | 'greater' | 'masked-equal';
  readonly value: number;
  /** For `masked-equal`: what is compared with `value` is the argument's bits in this mask. */
  readonly mask?: number;
}

/** Allows the system calls named, or fails them with an error of their own. */
export interface Rule {
  readonly names: readonly string[];
  /** All have to hold. Default: none, the rule always applies. */
  readonly when?: readonly Condition[];
  /** Fail with this error number instead of allowing. */
  readonly errno?: number;
}

/** What is not named by any rule fails with EPERM; what is newer than mayfly's tables fails with ENOSYS. */
export type Profile = readonly Rule[];
