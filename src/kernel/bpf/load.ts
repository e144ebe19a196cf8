import { addressOf, syscall } from '../ffi/libc.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';

// <linux/bpf.h>, enum bpf_cmd, bpf_prog_type, bpf_attach_type
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
/** Beside programs of the cgroups above and below, each of which must agree. */
const BPF_F_ALLOW_MULTI = 2;
/** A program that calls no helpers of the kernel needs no particular licence. Never moved or freed, as the kernel reads it. */
const LICENSE = Buffer.from('Apache-2.0\0');
const INSTRUCTION_SIZE = 8;
/** union bpf_attr, up to and with prog_flags. */
const LOAD_SIZE = 48;
const ATTACH_SIZE = 16;

/**
 * Loads a program that decides about device access. Returns its fd.
 *
 * @throws SystemError such as EPERM, or EINVAL on a kernel without CONFIG_CGROUP_BPF
 */
export function loadDeviceProgram(code: Uint8Array): number {
  const attributes = Buffer.alloc(LOAD_SIZE);
  attributes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  attributes.writeUInt32LE(code.length / INSTRUCTION_SIZE, 4);
  attributes.writeBigUInt64LE(addressOf(code), 8);
  attributes.writeBigUInt64LE(addressOf(LICENSE), 16);
  return bpf(BPF_PROG_LOAD, attributes, 'load the program for device access');
}

/** Puts a loaded program in force for a cgroup2 directory; it goes when the directory goes. */
export function attachDeviceProgram(program: number, directory: { fd: number; path: string }): void {
  const attributes = Buffer.alloc(ATTACH_SIZE);
  attributes.writeUInt32LE(directory.fd, 0);
  attributes.writeUInt32LE(program, 4);
  attributes.writeUInt32LE(BPF_CGROUP_DEVICE, 8);
  attributes.writeUInt32LE(BPF_F_ALLOW_MULTI, 12);
  bpf(BPF_PROG_ATTACH, attributes, `restrict device access in ${directory.path}`);
}

function bpf(command: number, attributes: Buffer, what: string): number {
  const number = syscallNumber(process.arch as Architecture, 'bpf')!;
  return syscall(number, [command, attributes, attributes.length], what);
}
