import { CLONE } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, ProgramBuilder } from '../../kernel/program/builder.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { RootfsSpec } from '../spec/container-spec.ts';
import { pin } from './host-file.ts';
import { mountRootfs } from './rootfs.ts';
import { enterUserNamespace } from './user-namespace.ts';

/**
 * Mounts layers where nobody else sees them and waits: whoever opens fd `rootfs` of the shim has the tree for as long as he
 * keeps it open, also when the shim and its mount namespace are gone.
 */
export function compileLayeredRoot(rootfs: RootfsSpec, { rootless = false } = {}): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const holder = program.section('holder', 'payload');
  if (rootless) enterUserNamespace(shim);
  shim.call('unshare', [flags(CLONE, 'CLONE_NEWNS')], { what: 'make a mount namespace' });
  pin(shim, FDS.rootfs, mountRootfs(shim, rootfs, { options: rootless ? ['userxattr'] : [] }));
  shim.clone(holder, flags(CLONE), { what: 'clone the holder' });
  // The end of the report pipe says that it is there.
  holder.call('close_range', [0, 0xffff_ffff, 0], { what: 'close everything' });
  holder.call('ppoll', [0, 0, 0, 0, 0], { what: 'wait for the end' });
  return program.build();
}
