import { CAPABILITIES, type CapabilityName, capabilityMask } from '../../kernel/capabilities.ts';
import { flags, type SectionBuilder } from '../../kernel/program/builder.ts';

// <linux/capability.h>, <linux/prctl.h>
const LINUX_CAPABILITY_VERSION_3 = 0x2008_0522;
const PR = { PR_CAP_AMBIENT: 47 } as const;
const PR_CAP_AMBIENT_RAISE = 2;

/** capset(2): permitted and effective alike; inheritable empty by default (CVE-2022-24769). */
export function setCapabilities(
  section: SectionBuilder,
  mask: bigint,
  { inheritable = 0n }: { inheritable?: bigint } = {},
): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(LINUX_CAPABILITY_VERSION_3);
  const data = Buffer.alloc(24);
  for (const [shift, at] of [
    [0n, 0],
    [32n, 12],
  ] as const) {
    const word = (set: bigint) => Number((set >> shift) & 0xffff_ffffn);
    data.writeUInt32LE(word(mask), at);
    data.writeUInt32LE(word(mask), at + 4);
    data.writeUInt32LE(word(inheritable), at + 8);
  }
  section.call('capset', [header, { kind: 'bytes', value: data, text: `0x${mask.toString(16)}` }], {
    what: 'set capabilities',
  });
}

/** Leaves these capabilities and no others, and has them outlive execve(2), whatever user that makes of us. */
export function keepCapabilities(section: SectionBuilder, names: readonly CapabilityName[]): void {
  const mask = capabilityMask(names);
  setCapabilities(section, mask, { inheritable: mask });
  for (const name of names) {
    section.call('prctl', [flags(PR, 'PR_CAP_AMBIENT'), PR_CAP_AMBIENT_RAISE, CAPABILITIES[name], 0, 0], {
      what: `keep ${name}`,
    });
  }
}
