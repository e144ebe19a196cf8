import { openSync } from 'node:fs';
import { O } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { compileLayeredRoot } from '../compile/layered-root.ts';
import type { RootfsSpec } from '../spec/container-spec.ts';
import { ShimProcess } from './shim-process.ts';

/**
 * Layers as one tree, by a descriptor of its root, which the caller closes. The mount is attached nowhere and goes with it.
 *
 * @throws ProgramError
 */
export async function mountLayers(binary: ShimBinary, rootfs: RootfsSpec): Promise<number> {
  const shim = new ShimProcess({
    binary,
    compile: () => compileLayeredRoot(rootfs),
    fds: {},
    label: 'layers',
  });
  try {
    await shim.started;
    return openSync(`/proc/${shim.pid}/fd/${FDS.rootfs}`, O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC);
  } finally {
    shim.close();
    await shim.exited;
  }
}
