import { CLONE } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, type SectionBuilder } from '../../kernel/program/builder.ts';

/** All rights that there are from now on are the namespace's. */
export function enterUserNamespace(section: SectionBuilder): void {
  section.call('setns', [FDS.userns, flags(CLONE, 'CLONE_NEWUSER')], { what: 'enter the user namespace' });
}
