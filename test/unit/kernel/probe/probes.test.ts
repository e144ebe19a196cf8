import { expect, test } from 'vitest';
import { bridge } from '../../../../src/kernel/probe/bridge.ts';
import { containerNamespaces } from '../../../../src/kernel/probe/namespaces.ts';
import { overlay } from '../../../../src/kernel/probe/overlay.ts';
import { explain } from '../../../../src/kernel/program/explain.ts';

const root = { uid: 0, gid: 0, apart: false };
const ada = { uid: 1000, gid: 1000, apart: true };

test('an overlay is tried where nobody else sees it', () => {
  expect(explain(overlay('/home', root))).toMatchInlineSnapshot(`
    "shim:
        0 clone(probe, CLONE_NEWNS)  # make namespaces
    probe:
        1 mount("none", "/", 0, MS_REC|MS_PRIVATE, 0)  # make every mount private
        2 chdir("/home")  # enter /home
        3 mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work,volatile")  # mount an overlay
        4 openat(AT_FDCWD, "merged/file", O_WRONLY|O_CREAT|O_CLOEXEC, 0o600)  # write a file into an overlay
        5 exit_group(0)  # end"
  `);
});

test('an ordinary user becomes root of a user namespace first', () => {
  expect(explain(containerNamespaces(ada))).toMatchInlineSnapshot(`
    "shim:
        0 clone(probe, CLONE_NEWUSER|CLONE_NEWNS|CLONE_NEWPID|CLONE_NEWNET|CLONE_NEWIPC|CLONE_NEWUTS|CLONE_NEWCGROUP)  # make namespaces
    probe:
        1 openat(AT_FDCWD, "/proc/self/setgroups", O_WRONLY|O_CLOEXEC, 0)  # open /proc/self/setgroups
        2 write($1, "deny", 4)  # write "deny" to setgroups
        3 openat(AT_FDCWD, "/proc/self/uid_map", O_WRONLY|O_CLOEXEC, 0)  # open /proc/self/uid_map
        4 write($3, "0 1000 1", 8)  # write "0 1000 1" to uid_map
        5 openat(AT_FDCWD, "/proc/self/gid_map", O_WRONLY|O_CLOEXEC, 0)  # open /proc/self/gid_map
        6 write($5, "0 1000 1", 8)  # write "0 1000 1" to gid_map
        7 fsopen("proc", 1)  # open file system proc
        8 fsconfig($7, FSCONFIG_CMD_CREATE, 0, 0, 0)  # create file system proc
        9 fsmount($7, 1, 0)  # mount proc
       10 fsopen("sysfs", 1)  # open file system sysfs
       11 fsconfig($10, FSCONFIG_CMD_CREATE, 0, 0, 0)  # create file system sysfs
       12 fsmount($10, 1, 0)  # mount sysfs
       13 fsopen("tmpfs", 1)  # open file system tmpfs
       14 fsconfig($13, FSCONFIG_CMD_CREATE, 0, 0, 0)  # create file system tmpfs
       15 fsmount($13, 1, 0)  # mount tmpfs
       16 fsopen("mqueue", 1)  # open file system mqueue
       17 fsconfig($16, FSCONFIG_CMD_CREATE, 0, 0, 0)  # create file system mqueue
       18 fsmount($16, 1, 0)  # mount mqueue
       19 exit_group(0)  # end"
  `);
});

test('interfaces are made in a network namespace that nobody is in', () => {
  expect(explain(bridge(root))).toMatchInlineSnapshot(`
    "shim:
        0 clone(probe, CLONE_NEWNET)  # make namespaces
    probe:
        1 socket(16, 524291, 0)  # open a NETLINK_ROUTE socket
        2 netlink($1, <bytes 68>)  # create a bridge
        3 netlink($1, <bytes 104>)  # create a veth
        4 exit_group(0)  # end"
  `);
});
