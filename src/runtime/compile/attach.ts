import { posix } from 'node:path';
import { AT_FDCWD, O } from '../../kernel/mounts/flags.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, octal, type SectionBuilder } from '../../kernel/program/builder.ts';
import { pin } from './host-file.ts';

const AF_UNIX = 1;
// <linux/net.h>; on top of the type
const SOCK = { SOCK_STREAM: 1, SOCK_NONBLOCK: 0o4000, SOCK_CLOEXEC: 0o2000000 } as const;
const BACKLOG = 16;

/**
 * Makes the socket at which clients attach to a container's streams, a file beside its record, where only its owner can come.
 *
 * By way of a descriptor of the directory, because a socket's path has 107 bytes at most (unix(7)).
 */
export function listenForClients(shim: SectionBuilder, path: string): void {
  const name = posix.basename(path);
  const directory = shim.call(
    'openat',
    [AT_FDCWD, posix.dirname(path), flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC'), octal(0)],
    { what: `open ${posix.dirname(path)}` },
  );
  pin(shim, FDS.attach, directory);
  shim.call('unlinkat', [FDS.attach, name, 0], { what: `remove an old ${name}`, tolerate: ['ENOENT'] });
  const type = flags(SOCK, 'SOCK_STREAM', 'SOCK_NONBLOCK', 'SOCK_CLOEXEC');
  const socket = shim.call('socket', [AF_UNIX, type, 0], { what: 'make a socket' });
  const address = Buffer.concat([
    Buffer.of(AF_UNIX, 0),
    Buffer.from(`/proc/self/fd/${FDS.attach}/${name}\0`),
  ]);
  const bytes = { kind: 'bytes', value: address, text: `"${name}"` } as const;
  shim.call('bind', [socket, bytes, address.length], { what: `bind ${path}` });
  shim.call('listen', [socket, BACKLOG], { what: `listen on ${path}` });
  pin(shim, FDS.attach, socket);
}
