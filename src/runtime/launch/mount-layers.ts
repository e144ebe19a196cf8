import { closeSync, openSync } from 'node:fs';
import { O } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { compileLayeredRoot } from '../compile/layered-root.ts';
import type { RootfsSpec } from '../spec/container-spec.ts';
import { ShimProcess } from './shim-process.ts';

/** A tree that nobody else sees, until it is disposed of. */
export interface MountedLayers extends Disposable {
  /** A descriptor of its root. */
  readonly fd: number;
}

/**
 * Layers as one tree. The mount is in a namespace without a process, and goes with it.
 *
 * That namespace has to stay: in a mount that is attached nowhere, a link and then `..` are EAGAIN to openat2(2) for ever (Linux 6.18).
 *
 * @param userns descriptor of the user namespace in which an ordinary user may mount; undefined for root
 * @throws ProgramError
 */
export async function mountLayers(
  binary: ShimBinary,
  rootfs: RootfsSpec,
  userns?: number,
): Promise<MountedLayers> {
  const shim = new ShimProcess({
    binary,
    compile: () => compileLayeredRoot(rootfs, { rootless: userns !== undefined }),
    fds: userns === undefined ? {} : { userns },
    label: 'layers',
  });
  try {
    await shim.started;
    const namespace = openSync(`/proc/${shim.pid}/ns/mnt`, O.O_RDONLY | O.O_CLOEXEC);
    const fd = openSync(`/proc/${shim.pid}/fd/${FDS.rootfs}`, O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC);
    return {
      fd,
      [Symbol.dispose]() {
        closeSync(fd);
        closeSync(namespace);
      },
    };
  } finally {
    shim.close();
    await shim.exited;
  }
}
