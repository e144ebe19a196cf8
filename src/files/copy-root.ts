import { chmodSync, chownSync, lstatSync } from 'node:fs';
import { call } from '../kernel/ffi/libc.ts';
import { listXattrs, readXattr } from './pack/xattrs.ts';
import { pathArgument } from './path-argument.ts';
import { nameBytes } from './tar/entry.ts';
import { isKeptXattr } from './unpack/metadata.ts';

const ACCESS_LISTS = ['system.posix_acl_access', 'system.posix_acl_default'];

/**
 * Gives a directory the mode, the owner and the attributes of another one. The paths are bytes (latin1); what is so already is not
 * touched.
 */
export function copyRoot(from: string, to: string): void {
  const [wanted, present] = [lstatSync(nameBytes(from)), lstatSync(nameBytes(to))];
  if (wanted.uid !== present.uid || wanted.gid !== present.gid)
    chownSync(nameBytes(to), wanted.uid, wanted.gid);
  if (wanted.mode !== present.mode) chmodSync(nameBytes(to), wanted.mode & 0o7777);
  for (const name of listXattrs(from)) {
    if (!isKeptXattr(name) && !ACCESS_LISTS.includes(name)) continue;
    const value = readXattr(from, name);
    if (value === undefined) continue;
    call('lsetxattr', [pathArgument(to), name, value, value.length, 0], `set ${name} of ${to}`, ['ENOTSUP']);
  }
}
