import { expect, test } from 'vitest';
import { CAPABILITIES, type CapabilityName } from '../../../../src/kernel/capabilities.ts';
import { syscallNumber, syscallTable } from '../../../../src/kernel/syscalls/numbers.ts';
import { DEFAULT_CAPABILITIES } from '../../../../src/runtime/compile/capabilities.ts';
import { SeccompFilters } from '../../../../src/runtime/compile/seccomp-filters.ts';
import { runFilter } from '../../../fixtures/bpf-interpreter.ts';

const ARCH = { x64: 0xc000003e, ia32: 0x40000003, arm64: 0xc00000b7, arm: 0x40000028 } as const;
const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;

const byDefault = (arch: 'x64' | 'arm64', capabilities = DEFAULT_CAPABILITIES) =>
  Buffer.from(new SeccompFilters(arch).filter('default', capabilities)!);
const filter = byDefault('x64');
const call = (name: string, ...args: (number | bigint)[]) =>
  runFilter(filter, { number: syscallNumber('x64', name)!, arch: ARCH.x64, args: args.map(BigInt) });

/** What Docker's default profile denies with Docker's default capabilities, found by trying each call. */
const DENIED =
  `syslog uselib ustat sysfs vhangup pivot_root _sysctl acct settimeofday mount umount2 swapon swapoff reboot
  sethostname setdomainname iopl ioperm create_module init_module delete_module get_kernel_syms query_module quotactl
  nfsservctl getpmsg putpmsg afs_syscall tuxcall security lookup_dcookie clock_settime vserver mbind set_mempolicy
  get_mempolicy kexec_load add_key request_key keyctl migrate_pages unshare move_pages perf_event_open fanotify_init
  open_by_handle_at setns kcmp finit_module kexec_file_load bpf userfaultfd io_uring_setup io_uring_enter
  io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick clone3 pidfd_getfd process_madvise mount_setattr
  quotactl_fd set_mempolicy_home_node`.split(/\s+/);

test('of the calls in Debian’s headers just those are denied that Docker denies', () => {
  const debian = Object.entries(syscallTable('x64')).filter(([, number]) => number <= 450);
  const conditional = ['clone', 'personality', 'socket'];
  const denied = debian
    .filter(([name]) => !conditional.includes(name) && call(name) !== ALLOW)
    .map(([name]) => name);
  expect(denied.sort()).toEqual(DENIED.toSorted());
  expect(debian.length - denied.length - conditional.length).toBe(292);
});

test('sockets: no AF_ALG, no AF_VSOCK, also when the upper half of the argument is set', () => {
  expect([2, 37, 39, 41].map((family) => call('socket', family))).toEqual([ALLOW, ALLOW, ALLOW, ALLOW]);
  expect([38, 40].map((family) => call('socket', family))).toEqual([EPERM, EPERM]);
  expect(call('socket', (1n << 32n) | 2n)).toBe(ALLOW);
});

test('personalities that change nothing for others', () => {
  for (const allowed of [0, 8, 0x20000, 0x20008, 0xffffffff])
    expect(call('personality', allowed)).toBe(ALLOW);
  for (const refused of [1, 0x40000, 0x400000]) expect(call('personality', refused)).toBe(EPERM);
});

test('clone makes processes and threads but no namespaces; clone3 sends glibc back to clone', () => {
  expect(call('clone', 0x3d0f00)).toBe(ALLOW);
  for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
    expect(call('clone', flag)).toBe(EPERM);
  }
  expect(call('clone3')).toBe(ENOSYS);
});

test('a capability brings its calls with it', () => {
  const everything = byDefault('x64', Object.keys(CAPABILITIES) as CapabilityName[]);
  const verdict = (name: string, ...args: bigint[]) =>
    runFilter(everything, { number: syscallNumber('x64', name)!, arch: ARCH.x64, args });
  for (const name of ['mount', 'unshare', 'setns', 'reboot', 'bpf', 'clone3', 'perf_event_open'])
    expect(verdict(name)).toBe(ALLOW);
  expect(verdict('clone', 0x10000000n)).toBe(ALLOW);
  // Nobody's, whatever the capabilities.
  for (const name of ['kexec_load', 'keyctl', 'userfaultfd', 'io_uring_setup'])
    expect(verdict(name)).toBe(EPERM);
});

test('a call newer than the tables does not exist, so that programs fall back', () => {
  expect(runFilter(filter, { number: 600, arch: ARCH.x64 })).toBe(ENOSYS);
});

test('the 32-bit ABI is filtered by its own numbers', () => {
  const ia32 = (name: string) => runFilter(filter, { number: syscallNumber('ia32', name)!, arch: ARCH.ia32 });
  expect(['read', 'mmap2', 'set_thread_area'].map(ia32)).toEqual([ALLOW, ALLOW, ALLOW]);
  expect(ia32('socketcall')).toBe(ENOSYS);
  expect(['mount', 'umount', 'reboot', 'stime'].map(ia32)).toEqual([EPERM, EPERM, EPERM, EPERM]);
});

test('ABIs that no image needs do not exist', () => {
  expect(runFilter(filter, { number: 0x40000000, arch: ARCH.x64 })).toBe(ENOSYS);
  expect(runFilter(filter, { number: 0, arch: ARCH.arm })).toBe(ENOSYS);
});

test('on arm64 the numbers are those of arm64', () => {
  const arm64 = byDefault('arm64');
  const verdict = (name: string) =>
    runFilter(arm64, { number: syscallNumber('arm64', name)!, arch: ARCH.arm64 });
  expect(['openat', 'mount', 'clone3'].map(verdict)).toEqual([ALLOW, EPERM, ENOSYS]);
});

test('the filter fits the kernel’s limit of 4096 instructions', () => {
  expect(filter.length / 8).toBeLessThan(4096);
});
