import { existsSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MayflyError } from '../../support/error.ts';
import { call } from '../ffi/libc.ts';

const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const F_ADD_SEALS = 1033;
/**
 * F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE, <linux/fcntl.h>. F_SEAL_WRITE would wait up to 10 ms until no CPU
 * holds a page of it any longer, for the sake of writable mappings, of which there are none.
 */
const ALL_SEALS = 0x1 | 0x2 | 0x4 | 0x10;

/** The shim as an executable that nobody can change. */
export interface ShimBinary {
  /** A descriptor of this process. */
  readonly fd: number;
}

/**
 * Copies the shim into a sealed memfd, so that a container that gets hold of `/proc/1/exe` cannot overwrite the binary
 * on disk for the next container (CVE-2019-5736).
 *
 * `file` overrides the shim that belongs to this build, for tests under sanitizers.
 *
 * @throws MayflyError `host.shim-missing` when the package has none for this machine.
 */
export function openShimBinary(file: string = shimFile()): ShimBinary {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const fd = call('memfd_create', ['mayfly-shim', flags], 'create memfd for the shim');
  const content = readFileSync(file);
  for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
  call('fcntl', [fd, F_ADD_SEALS, ALL_SEALS], 'seal the shim');
  return { fd };
}

/** In a checkout the shim lies in build/, in the published package in dist/. */
function shimFile(): string {
  const name = `mayfly-shim-${process.arch}`;
  const root = join(import.meta.dirname, '../../..');
  const found = [join(root, 'shim', name), join(root, 'build/shim', name)].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MayflyError('host.shim-missing', `no shim for ${process.arch} in this package`, {
    hint: 'in a checkout run: npm run build',
  });
}
