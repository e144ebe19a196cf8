import type { CapabilityName } from '../../kernel/capabilities.ts';
import { compileSeccomp } from '../../kernel/seccomp/compile.ts';
import type { Architecture } from '../../kernel/syscalls/numbers.ts';
import { DEFAULT_CAPABILITIES } from './capabilities.ts';
import { type DockerProfile, resolveDockerProfile } from './docker-profile.ts';
import { defaultProfile } from './seccomp-default.ts';

/** Docker's default profile, none, or one of the user's own. A value: it is written down with the container. */
export type SeccompChoice = 'default' | 'unconfined' | DockerProfile;

/**
 * In the bundle: the default filters for the default capabilities as this file compiles them, in base64, by architecture; as JSON. A process
 * of the command line needs one filter only, and would compile it for 2 ms.
 */
declare const COMPILED_FILTERS: string | undefined;

/** Filters ready for seccomp(2), each compiled once. */
export class SeccompFilters {
  readonly #arch: Architecture;
  readonly #compiled = new Map<string, Uint8Array>();

  constructor(arch: Architecture) {
    this.#arch = arch;
    if (typeof COMPILED_FILTERS === 'undefined') return;
    const compiled = JSON.parse(COMPILED_FILTERS) as Record<Architecture, string>;
    this.#compiled.set(keyOf('default', DEFAULT_CAPABILITIES), Buffer.from(compiled[arch], 'base64'));
  }

  /** An encoded array of struct sock_filter; undefined for no filter. */
  filter(choice: SeccompChoice, capabilities: readonly CapabilityName[]): Uint8Array | undefined {
    if (choice === 'unconfined') return undefined;
    const key = keyOf(choice, capabilities);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const request = { capabilities, arch: this.#arch };
    const profile = choice === 'default' ? defaultProfile(request) : resolveDockerProfile(choice, request);
    const filter = compileSeccomp(profile, this.#arch);
    this.#compiled.set(key, filter);
    return filter;
  }
}

const keyOf = (choice: SeccompChoice, capabilities: readonly CapabilityName[]) =>
  JSON.stringify([choice, capabilities]);
