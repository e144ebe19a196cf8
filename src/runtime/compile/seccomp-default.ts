import { constants } from 'node:os';
import type { CapabilityName } from '../../kernel/capabilities.ts';
import type { Condition, Profile, Rule } from '../../kernel/seccomp/profile.ts';
import type { Architecture } from '../../kernel/syscalls/numbers.ts';
import { ALLOWED, ALLOWED_BY_ARCHITECTURE, ALLOWED_BY_CAPABILITY, ALLOWED_TRACING } from './seccomp-names.ts';

export interface SeccompRequest {
  readonly capabilities: readonly CapabilityName[];
  readonly arch: Architecture;
}

/** Address families on either side of AF_ALG (38) and AF_VSOCK (40), which reach past the container. */
const SOCKETS: readonly Condition[] = [
  { index: 0, op: 'less', value: 38 },
  { index: 0, op: 'equal', value: 39 },
  { index: 0, op: 'greater', value: 40 },
];

/** PER_LINUX, PER_LINUX32, each with and without UNAME26, and the query for the present one. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffff_ffff];

/** All CLONE_NEW* flags but CLONE_NEWTIME, which clone cannot take. */
const NEW_NAMESPACES = 0x7e02_0000;

/** A profile with the effect of Docker's default one for the capabilities granted; stricter in `socketcall` only. */
export function defaultProfile({ capabilities, arch }: SeccompRequest): Profile {
  const admin = capabilities.includes('CAP_SYS_ADMIN');
  const one = (name: string, condition: Condition): Rule => ({ names: [name], when: [condition] });
  const rules: Rule[] = [
    { names: ALLOWED },
    { names: ALLOWED_TRACING },
    { names: ALLOWED_BY_ARCHITECTURE[arch] },
    // One call of the 32-bit ABI for all of them, whose arguments lie in memory: it would let AF_ALG past (CVE-2026-31431).
    { names: ['socketcall'], action: constants.errno.ENOSYS },
    ...SOCKETS.map((condition) => one('socket', condition)),
    ...PERSONALITIES.map((value) => one('personality', { index: 0, op: 'equal', value })),
    ...capabilities.map((name) => ({ names: ALLOWED_BY_CAPABILITY[name] ?? [] })),
    ...(admin
      ? []
      : [
          one('clone', { index: 0, op: 'masked-equal', value: 0, mask: NEW_NAMESPACES }),
          // Its flags lie in memory, where a filter cannot look; glibc falls back to clone.
          { names: ['clone3'], action: constants.errno.ENOSYS },
        ]),
  ];
  return { rules, otherwise: constants.errno.EPERM };
}
