import type { CapabilityName } from '../../kernel/capabilities.ts';
import { compileSeccomp } from '../../kernel/seccomp/compile.ts';
import type { Architecture } from '../../kernel/syscalls/numbers.ts';
import { type DockerProfile, resolveDockerProfile } from './docker-profile.ts';
import { defaultProfile } from './seccomp-default.ts';

/** Docker's default profile, none, or one of the user's own. A value: it is written down with the container. */
export type SeccompChoice = 'default' | 'unconfined' | DockerProfile;

/** Filters ready for seccomp(2), each compiled once. */
export class SeccompFilters {
  readonly #arch: Architecture;
  readonly #compiled = new Map<string, Uint8Array>();

  constructor(arch: Architecture) {
    this.#arch = arch;
  }

  /** An encoded array of struct sock_filter; undefined for no filter. */
  filter(choice: SeccompChoice, capabilities: readonly CapabilityName[]): Uint8Array | undefined {
    if (choice === 'unconfined') return undefined;
    const key = JSON.stringify([choice, capabilities]);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const request = { capabilities, arch: this.#arch };
    const profile = choice === 'default' ? defaultProfile(request) : resolveDockerProfile(choice, request);
    const filter = compileSeccomp(profile, this.#arch);
    this.#compiled.set(key, filter);
    return filter;
  }
}
