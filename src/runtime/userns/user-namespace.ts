import { readSync } from 'node:fs';
import { closeDescriptor, openDescriptor } from '../../kernel/ffi/descriptor.ts';
import { reap, syscall } from '../../kernel/ffi/libc.ts';
import { CLONE, O } from '../../kernel/mounts/flags.ts';
import { FRAME, FRAMES } from '../../kernel/program/abi.ts';
import { flags, ProgramBuilder } from '../../kernel/program/builder.ts';
import type { Program } from '../../kernel/program/instruction.ts';
import type { ShimBinary } from '../../kernel/program/shim-binary.ts';
import { type Architecture, syscallNumber } from '../../kernel/syscalls/numbers.ts';
import { MayflyError } from '../../support/error.ts';
import { ProgramError } from '../launch/program-error.ts';
import { spawnShim } from '../launch/spawn-shim.ts';

// _IO(0xb7, 1), <linux/nsfs.h>
const NS_GET_USERNS = 0xb701;

/**
 * Makes a user namespace, which the descriptor that is returned keeps there. `map` gets the host pid of a process in it and
 * sets its maps.
 *
 * Synchronous, as it is needed at once and takes a few milliseconds.
 *
 * @throws MayflyError `host.userns-refused`; what `map` throws
 */
export function makeUserNamespace(binary: ShimBinary, map: (pid: number) => void): number {
  const { pid, control, program } = spawnShim({
    binary,
    compile: compileHolder,
    fds: {},
    label: 'user namespace',
  });
  try {
    const { type, body } = readFrame(control);
    if (type !== FRAMES.started) throw refusal(new ProgramError(program, body));
    const holder = body.readInt32LE();
    map(holder);
    return openDescriptor(`/proc/${holder}/ns/user`, O.O_RDONLY);
  } finally {
    closeDescriptor(control);
    reap(pid);
  }
}

/** The user namespace that another namespace belongs to. The caller closes it. */
export function ownerOf(namespace: number): number {
  const ioctl = syscallNumber(process.arch as Architecture, 'ioctl')!;
  return syscall(ioctl, [namespace, NS_GET_USERNS], 'find the owner of a namespace');
}

/** A process that is born in a new user namespace and does nothing until it is killed. */
export function compileHolder(): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const holder = program.section('holder', 'payload');
  shim.clone(holder, flags(CLONE, 'CLONE_NEWUSER'), { what: 'make a user namespace' });
  // The end of the report pipe says that it is there.
  holder.call('close_range', [0, 0xffff_ffff, 0], { what: 'close everything' });
  holder.call('ppoll', [0, 0, 0, 0, 0], { what: 'wait for the end' });
  return program.build();
}

function readFrame(fd: number): { type: number; body: Buffer } {
  const head = readWhole(fd, FRAME.size);
  return {
    type: head.readUInt32LE(FRAME.offset.type),
    body: readWhole(fd, head.readUInt32LE(FRAME.offset.length)),
  };
}

function readWhole(fd: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const read = readSync(fd, bytes, at, length - at, null);
    if (read === 0) throw new MayflyError('kernel.shim-lost', 'the shim ended without a word');
    at += read;
  }
  return bytes;
}

const HINTS: Readonly<Record<string, string>> = {
  EPERM:
    'this host keeps user namespaces from ordinary users: see the sysctls kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns; inside a container, its seccomp profile forbids it',
  ENOSPC: 'raise user.max_user_namespaces with sysctl',
  EINVAL: 'this kernel was built without user namespaces (CONFIG_USER_NS)',
  EUSERS: 'user namespaces are nested too deeply here',
};

function refusal(failure: ProgramError): MayflyError {
  const hint = HINTS[failure.errno];
  return new MayflyError('host.userns-refused', `the kernel makes no user namespace: ${failure.errno}`, {
    cause: failure,
    ...(hint === undefined ? {} : { hint }),
  });
}
