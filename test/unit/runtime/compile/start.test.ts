import { expect, test } from 'vitest';
import { explain } from '../../../../src/kernel/program/explain.ts';
import { compileExec } from '../../../../src/runtime/compile/exec.ts';
import { compileStart } from '../../../../src/runtime/compile/start.ts';
import type { ContainerSpec } from '../../../../src/runtime/spec/container-spec.ts';

const spec: ContainerSpec = {
  id: 'f'.repeat(64),
  hostname: 'box',
  process: {
    argv: ['server', '--port', '80'],
    env: ['PATH=/usr/bin:/bin', 'A=1'],
    cwd: '/srv/app',
    user: { uid: 101, gid: 102, groups: [102, 5] },
    capabilities: ['CAP_CHOWN', 'CAP_KILL'],
    seccomp: new Uint8Array(16),
    noNewPrivileges: false,
    ulimits: [],
    openFiles: [1024, 4096],
    terminal: undefined,
  },
  privileges: {
    privileged: false,
    capabilities: ['CAP_CHOWN', 'CAP_KILL'],
    seccomp: 'default',
    noNewPrivileges: false,
    ulimits: [],
  },
  shared: { ipc: false, pid: false },
  clockOffsets: undefined,
  readOnly: false,
  writable: [],
  sysctls: [],
  init: true,
  rootfs: {
    directory: '/var/lib/mayfly/layers',
    layers: ['aaaa/fs', 'bbbb/fs'],
    upper: '../c/upper',
    work: '../c/work',
    storage: undefined,
    target: '../c/rootfs',
  },
  mounts: [
    { type: 'bind', source: '/host/data', target: '/data', readOnly: true },
    { type: 'tmpfs', target: '/scratch', size: 4096 },
  ],
  files: [{ source: '/c/hosts', target: '/etc/hosts' }],
  devices: [],
  shmSize: 64 << 20,
  ids: { kind: 'host' },
  forward: undefined,
  network: {
    host: false,
    prepare: (shim) => void shim.call('getpid', [], { what: '(the network prepares)' }),
    connect: (shim) => void shim.call('getppid', [], { what: '(the network connects)' }),
  },
  cgroup: {
    name: 'f',
    unified: '/sys/fs/cgroup/mayfly/f',
    joinFiles: ['/sys/fs/cgroup/memory/mayfly/f/cgroup.procs'],
    oomFile: '/sys/fs/cgroup/memory/mayfly/f/memory.oom_control',
    oomNotice: 'v1',
    limits: {},
    countedSince: undefined,
    possible: ['/sys/fs/cgroup/mayfly/f', '/sys/fs/cgroup/memory/mayfly/f'],
    mounts: [{ name: '', type: 'cgroup2', options: {} }],
  },
  log: { path: '/c/log', limit: 1 << 20 },
  runRecord: '/c/run',
  marks: '/c/marks',
  attach: '/c/attach',
  openStdin: false,
  pulse: '/c/pulse',
  detached: false,
};
const host = { throttles: [0], isFile: () => false };

test('the program of a start', async () => {
  await expect(`${explain(compileStart(spec, host))}\n`).toMatchFileSnapshot('start.explain.txt');
});

test('without our init the payload prepares everything, in namespaces nested in those of the guard', () => {
  const sections = new Map(
    compileStart({ ...spec, init: false }, host).sections.map(({ name, instructions }) => [
      name,
      instructions,
    ]),
  );
  expect(sections.get('init')!.map(({ operation }) => operation)).toEqual([
    'clock_gettime',
    'write',
    'clone',
  ]);
  expect(sections.get('payload')!.some(({ operation }) => operation === 'pivot_root')).toBe(true);
});

test('on cgroup2 the file of memory events is watched itself, and nothing without a limit', () => {
  const watching = (cgroup: Partial<ContainerSpec['cgroup']>) => {
    const program = compileStart({ ...spec, cgroup: { ...spec.cgroup, ...cgroup } }, host);
    const lines = explain(program)
      .split('\n')
      .filter((line) => /memory\.events|pin fd 1[78]/.test(line));
    return [program.notice, ...lines.map((line) => line.trim().replace(/^\d+ /, ''))];
  };
  expect(watching({ oomFile: '/cg/memory.events', oomNotice: 'v2' })).toMatchInlineSnapshot(`
    [
      "priority",
      "openat(AT_FDCWD, "/cg/memory.events", O_RDONLY|O_CLOEXEC, 0o600)  # open /cg/memory.events",
      "dup3($17, 17, O_CLOEXEC)  # pin fd 17",
      "openat(AT_FDCWD, "/cg/memory.events", O_RDONLY|O_CLOEXEC, 0o600) ?ENOENT ?EBUSY ?ENOTEMPTY ?ENODEV  # open the OOM count",
    ]
  `);
  expect(watching({ oomFile: '/cg/memory.oom_control', oomNotice: undefined })).toEqual([undefined]);
});

test('a device of the host gets its numbers, mode and owner, in place of what is there', () => {
  const fuse = {
    host: '/dev/fuse',
    path: '/dev/my/fuse',
    type: 'char',
    major: 10,
    minor: 229,
    mode: 0o660,
    uid: 0,
    gid: 44,
    access: 'rw',
  } as const;
  const lines = explain(compileStart({ ...spec, devices: [fuse] }, host)).split('\n');
  expect(lines.filter((line) => line.includes('/dev/my')).map((line) => line.trim())).toMatchInlineSnapshot(`
    [
      "108 mkdirat($107, "my", 0o755) ?EEXIST ?EROFS  # create "/dev/my"",
      "110 unlinkat($109, "fuse", 0) ?ENOENT  # make room for /dev/my/fuse",
      "111 mknodat($109, "fuse", 0o20660, 2789)  # create /dev/my/fuse",
      "112 fchownat($109, "fuse", 0, 44, AT_SYMLINK_NOFOLLOW)  # give /dev/my/fuse its owner",
    ]
  `);
});

test('with the host’s network no namespace is made or entered for it', () => {
  const text = explain(compileStart({ ...spec, network: { ...spec.network, host: true } }, host));
  expect(text).not.toMatch(/CLONE_NEWNET|ip_unprivileged_port_start/);
});

test('the program of an exec enters all namespaces by one pidfd', () => {
  const text = explain(
    compileExec({
      process: spec.process,
      cgroup: spec.cgroup,
      ids: spec.ids,
      hostNetwork: false,
      ownClocks: false,
    }),
  );
  expect(text.split('payload:')[0]).toMatchInlineSnapshot(`
    "shim:
        0 openat(AT_FDCWD, "/sys/fs/cgroup/memory/mayfly/f/cgroup.procs", O_WRONLY|O_CLOEXEC, 0o600) ?ENOENT  # open /sys/fs/cgroup/memory/mayfly/f/cgroup.procs
        1 openat(AT_FDCWD, "/sys/fs/cgroup/mayfly/f", O_PATH|O_DIRECTORY|O_CLOEXEC, 0o600)  # open /sys/fs/cgroup/mayfly/f
        2 setns(9, CLONE_NEWNS|CLONE_NEWIPC|CLONE_NEWUTS|CLONE_NEWPID|CLONE_NEWCGROUP|CLONE_NEWNET)  # enter the namespaces
        3 clone(payload, 0, $1)  # clone the payload
    "
  `);
});

/** What a program has of its own, beside the same program for root. */
function onlyIn(changed: Partial<ContainerSpec>, base: ContainerSpec = spec): string[] {
  const lines = (of: ContainerSpec) =>
    explain(compileStart(of, host))
      .split('\n')
      .map((line) => line.trim().replace(/^\d+ /, '').replace(/\$\d+/g, '$'));
  const others = new Set(lines(base));
  return lines({ ...base, ...changed }).filter((line) => !others.has(line));
}

test('an ordinary user’s program enters his user namespace first, binds devices and asks overlay for user attributes', () => {
  const ids = { kind: 'user', count: 65536 } as const;
  expect(
    explain(compileStart({ ...spec, ids }, host))
      .split('\n')[1]!
      .trim(),
  ).toBe('0 setns(19, CLONE_NEWUSER)  # enter the user namespace');
  expect(
    onlyIn({ ids }).filter((line) => !/\b(zero|full|random|urandom|tty)\b/.test(line)),
  ).toMatchInlineSnapshot(`
      [
        "setns(19, CLONE_NEWUSER)  # enter the user namespace",
        "mount("overlay", "../c/rootfs", "overlay", 0, "lowerdir=bbbb/fs:aaaa/fs,upperdir=../c/upper,workdir=../c/work,volatile,userxattr")  # mount overlay of 2 layers",
        "open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)  # bind /dev/null",
        "openat2($, "/null", {O_RDONLY|O_CREAT|O_CLOEXEC, 0o644, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}, 24) ?EROFS ?ENXIO ?ENODEV  # create "/null"",
        "openat2($, "/null", {O_PATH|O_CLOEXEC, 0o0, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}, 24)  # open "/null" in the rootfs",
        "move_mount($, "", $, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # bind "/null"",
        "write($, "0 65535", 7)  # set net.ipv4.ping_group_range",
      ]
    `);
  const exec = explain(
    compileExec({ process: spec.process, cgroup: spec.cgroup, ids, hostNetwork: false, ownClocks: false }),
  );
  expect(exec).toMatch(/setns\(9, .*\|CLONE_NEWUSER\|/);
});

test('on the host’s network an ordinary user’s container gets the host’s /sys, as he can mount none', () => {
  const network = { ...spec.network, host: true };
  expect(
    onlyIn({ ids: { kind: 'user', count: 65536 } }, { ...spec, network }).filter((line) => /sys/.test(line)),
  ).toMatchInlineSnapshot(`
    [
      "open_tree(AT_FDCWD, "/sys", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE)  # bind the host's /sys",
    ]
  `);
});

test('published ports get a forwarder, which has the sockets to itself and no rights', () => {
  const forward = { address: '10.64.0.2', ports: [80, 80, 443], adopts: false };
  expect(onlyIn({ forward })).toMatchInlineSnapshot(`
    [
      "clone(forwarder, 0)  # clone the forwarder",
      "close_range(36, 38, 0)  # let go of the listening sockets",
      "forwarder:",
      "capset(<bytes 8>, 0x0)  # set capabilities",
      "forward(<bytes 60>, 3)  # forward to 10.64.0.2, ports 80, 443",
    ]
  `);
});

test('a spare’s forwarder has a socket over which it gets the ports of the container that the spare becomes', () => {
  const forward = { address: '10.64.0.2', ports: [80, 443], adopts: true };
  expect(linesOf({ forward }, /let go of the listening|forward\(/)).toMatchInlineSnapshot(`
    [
      "close_range(36, 38, 0)  # let go of the listening sockets",
      "forward(<bytes 40>, 2, 38)  # forward to 10.64.0.2, ports 80, 443",
    ]
  `);
});

test('private ids: overlay is mounted as the container’s root on mapped owners, and the payload gives up the host’s rights', () => {
  const ids = { kind: 'private', base: 0x7000_0000, count: 65536 } as const;
  expect(onlyIn({ ids })).toMatchInlineSnapshot(`
    [
      "prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)  # keep the capabilities",
      "setfsgid(1879048192)  # make files of group 1879048192",
      "setfsuid(1879048192)  # make files of user 1879048192",
      "open_tree(AT_FDCWD, "aaaa/fs", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)  # bind aaaa/fs",
      "mount_setattr($, "", AT_EMPTY_PATH, {MOUNT_ATTR_IDMAP, 0, 0, 19}, 32)  # map the owners",
      "openat(AT_FDCWD, "aaaa/fs", O_PATH|O_CLOEXEC, 0)  # open aaaa/fs",
      "move_mount($, "", $, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # mount aaaa/fs with the container's owners",
      "open_tree(AT_FDCWD, "bbbb/fs", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)  # bind bbbb/fs",
      "mount_setattr($, "", AT_EMPTY_PATH, {MOUNT_ATTR_IDMAP, 0, 0, 19}, 32)  # map the owners",
      "openat(AT_FDCWD, "bbbb/fs", O_PATH|O_CLOEXEC, 0)  # open bbbb/fs",
      "move_mount($, "", $, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # mount bbbb/fs with the container's owners",
      "open_tree(AT_FDCWD, "../c", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)  # bind ../c",
      "mount_setattr($, "", AT_EMPTY_PATH, {MOUNT_ATTR_IDMAP, 0, 0, 19}, 32)  # map the owners",
      "openat(AT_FDCWD, "../c", O_PATH|O_CLOEXEC, 0)  # open ../c",
      "move_mount($, "", $, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # mount ../c with the container's owners",
      "fsconfig($, FSCONFIG_SET_STRING, "gid", "1879048197", 0)  # set gid of devpts",
      "fchown(11, 1879048293, 1879048294)  # give stdout to the container",
      "fchown(12, 1879048293, 1879048294)  # give stderr to the container",
      "setns(19, CLONE_NEWUSER)  # enter the user namespace",
      "setresgid(0, 0, 0)  # become the container's group 0",
      "setresuid(0, 0, 0)  # become the container's root",
    ]
  `);
  const exec = explain(
    compileExec({ process: spec.process, cgroup: spec.cgroup, ids, hostNetwork: false, ownClocks: false }),
  ).split('payload:');
  // In the payload only: the namespaces are the host's, and entering them takes the host's rights.
  expect(exec[0]).not.toContain('CLONE_NEWUSER');
  expect(exec[1]).toContain('setns(19, CLONE_NEWUSER)');
});

/** The lines of a program that match, without their numbers. */
function linesOf(changes: Partial<ContainerSpec>, pattern: RegExp): string[] {
  const lines = explain(compileStart({ ...spec, ...changes }, host)).split('\n');
  return lines.filter((line) => pattern.test(line)).map((line) => line.trim().replace(/^\d+ /, ''));
}

test('among the processes of another container, a guard outlives the shim and ends what is left', () => {
  const text = explain(compileStart({ ...spec, shared: { ipc: false, pid: true } }, host));
  expect(/guard:\n[^:]*\n(?=init:)/.exec(text)?.[0]).toMatchInlineSnapshot(`
    "guard:
       40 prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)  # outlive the shim
       41 write($29, <bytes 8>, 8)  # say that the guard is there
       42 close_range(3, 23, 0)  # close what is the shim’s
       43 close_range(26, 4294967295, 0)  # close the rest
       44 ppoll({supervisor, POLLIN}, 1, 0, 0, 0)  # wait for the end of the shim
       45 write(25, "1", 1) ?ENODEV  # kill what is left
       46 exit_group(0)  # be done
    "
  `);
  const shim = text.slice(0, text.indexOf('guard:\n'));
  expect(shim.indexOf('clone(guard')).toBeLessThan(shim.indexOf('CLONE_NEWPID'));
  expect(shim).toContain('clone(init, CLONE_NEWNS|CLONE_NEWIPC|CLONE_NEWUTS, ');
  expect(text.slice(text.indexOf('teardown:'))).toMatch(/kill what is left[\s\S]*reap the guard/);
});

test('settings are written to procfs itself, whatever is mounted over it', () => {
  const sysctls = [{ path: 'net/core/somaxconn', value: '9' }];
  expect(linesOf({ sysctls }, /somaxconn/)).toEqual([
    expect.stringContaining('RESOLVE_NO_SYMLINKS|RESOLVE_NO_XDEV'),
    expect.stringContaining('# set net.core.somaxconn'),
  ]);
});

test('in a read-only container a volume is bound onto itself before the rootfs loses its write bit', () => {
  const lines = linesOf({ readOnly: true, writable: ['/var/data'] }, /var\/data|set MOUNT_ATTR_RDONLY$/);
  expect(lines.map((line) => line.replace(/\$\d+/g, '$'))).toMatchInlineSnapshot(`
    [
      "mount_setattr($, "", AT_EMPTY_PATH|AT_RECURSIVE, {MOUNT_ATTR_RDONLY, 0, 0, 0}, 32)  # set MOUNT_ATTR_RDONLY",
      "mount_setattr($, "", AT_EMPTY_PATH, {MOUNT_ATTR_RDONLY, 0, 0, 0}, 32)  # set MOUNT_ATTR_RDONLY",
      "mkdirat($, "data", 0o755) ?EEXIST ?EROFS  # create "/var/data"",
      "openat2($, "var/data", {O_PATH|O_DIRECTORY|O_CLOEXEC, 0o0, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}, 24)  # open "var/data" in the rootfs",
      "openat2($, "/var/data", {O_PATH|O_DIRECTORY|O_CLOEXEC, 0o0, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_XDEV}, 24) ?EXDEV  # open "/var/data" in the rootfs",
      "open_tree($, "", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH)  # bind /var/data",
      "move_mount($, "", $, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # keep "/var/data" writable",
      "mount_setattr($, "", AT_EMPTY_PATH, {MOUNT_ATTR_RDONLY, 0, 0, 0}, 32)  # set MOUNT_ATTR_RDONLY",
    ]
  `);
});

test('a limited upper lies on a file system that the shim holds', () => {
  const storageRoot = { mode: 0o711, uid: 33, gid: 34 };
  const rootfs = { ...spec.rootfs, storage: 1 << 20, storageRoot };
  expect(linesOf({ rootfs }, /storage|upper|pin fd 27/)).toMatchInlineSnapshot(`
    [
      "dup3($28, 27, O_CLOEXEC)  # pin fd 27",
      "mkdirat(27, "upper", 0o755)  # create upper in the storage",
      "mkdirat(27, "work", 0o700)  # create work in the storage",
      "fchownat(27, "upper", 33, 34, 0)  # give upper to 33:34",
      "fchmodat(27, "upper", 0o711)  # set the mode of upper",
      "openat(AT_FDCWD, "../c/upper", O_PATH|O_DIRECTORY|O_CLOEXEC, 0)  # open the place of the storage",
      "move_mount(27, "", $47, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # mount the storage",
      "mount("overlay", "../c/rootfs", "overlay", 0, "lowerdir=bbbb/fs:aaaa/fs,upperdir=../c/upper/upper,workdir=../c/upper/work,volatile")  # mount overlay of 2 layers",
    ]
  `);
});

test('a layer that an image has twice, as it has empty ones, is given to overlay once, in the upper place', () => {
  const layers = ['empty', 'base', 'empty', 'top', 'empty'];
  const program = compileStart(
    { ...spec, rootfs: { ...spec.rootfs, layers } },
    { throttles: [], isFile: () => true },
  );
  expect(explain(program)).toContain('lowerdir=empty:top:base,');
});

test('what takes the place of others waits for a word and for their end', () => {
  const program = compileStart(spec, { throttles: [], isFile: () => false }, { succeeds: true });
  const lines = explain(program).split('\n');
  const at = lines.findIndex((line) => line.includes('wait to be told to begin'));
  expect(lines.slice(at - 1, at + 3)).toMatchInlineSnapshot(`
    [
      "payload:",
      "  198 ppoll([{go, POLLIN}], 1, 0, 0, 0)  # wait to be told to begin",
      "  199 ppoll([{pidfd, POLLIN}, {beside, POLLIN}], 2, 0, 0, 0)  # wait until the former processes are in nobody’s way",
      "  200 setsid()  # start a session",
    ]
  `);
});

test('what listens for it waits for the word, too', () => {
  const forward = { address: '10.64.0.2', ports: [80], adopts: false };
  const host = { throttles: [], isFile: () => false };
  const program = compileStart({ ...spec, forward }, host, { succeeds: true });
  const lines = explain(program).split('\n');
  const at = lines.indexOf('forwarder:');
  expect(lines.slice(at, at + 3)).toMatchInlineSnapshot(`
    [
      "forwarder:",
      "  258 ppoll([{go, POLLIN}], 1, 0, 0, 0)  # wait to be told to begin",
      "  259 setns(7, CLONE_NEWNET)  # enter the network namespace",
    ]
  `);
});

test('files that the payload will write to are copied up beside it', () => {
  const copied = ['/srv/data', '/srv/log'];
  const program = compileStart(spec, { throttles: [], isFile: () => false }, { copied });
  const lines = explain(program).split('\n');
  const at = lines.indexOf('copier:');
  expect(lines.slice(at - 2, at + 5)).toMatchInlineSnapshot(`
    [
      "  197 clone(copier, 0)  # clone the copier",
      "  198 clone(payload, 0)  # clone the payload",
      "copier:",
      "  199 close(15)  # leave the report to the payload",
      "  200 openat2($38, "/srv/data", {O_RDWR|O_NONBLOCK|O_NOCTTY|O_CLOEXEC, 0o0, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_NO_XDEV}, 24) ?ENOENT ?ELOOP ?EXDEV ?ETXTBSY  # open "/srv/data" in the rootfs",
      "  201 openat2($38, "/srv/log", {O_RDWR|O_NONBLOCK|O_NOCTTY|O_CLOEXEC, 0o0, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_NO_XDEV}, 24) ?ENOENT ?ELOOP ?EXDEV ?ETXTBSY  # open "/srv/log" in the rootfs",
      "  202 exit_group(0)  # be done",
    ]
  `);
  const alone = compileStart({ ...spec, init: false }, { throttles: [], isFile: () => false }, { copied });
  expect(explain(alone)).not.toContain('copier');
});
