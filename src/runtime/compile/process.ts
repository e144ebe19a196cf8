import { CAPABILITIES, capabilityMask } from '../../kernel/capabilities.ts';
import { encodeLimit } from '../../kernel/processes/resource-limits.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { flags, octal, type SectionBuilder, strings, struct } from '../../kernel/program/builder.ts';
import type { IdSpec, ProcessSpec } from '../spec/container-spec.ts';
import { groundOf } from './ground.ts';
import { becomeContainerRoot } from './private-ids.ts';
import { setCapabilities } from './set-capabilities.ts';
import { takeTerminal } from './terminal.ts';

// <linux/prctl.h>, <linux/seccomp.h>, <linux/capability.h>, <asm-generic/resource.h>
const PR = { PR_SET_PDEATHSIG: 1, PR_CAPBSET_DROP: 24, PR_SET_NO_NEW_PRIVS: 38, PR_CAP_AMBIENT: 47 } as const;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const SECCOMP_SET_MODE_FILTER = 1;
const RLIMIT_NOFILE = 7;
const SIGKILL = 9;

/** What a failed look-up on PATH may say without ending the search, as in execvp(3). */
const NOT_HERE = ['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'];

/** The last steps of a payload: descriptors, limits, privileges, execve. Runs inside the rootfs. */
export function becomeProcess(section: SectionBuilder, process: ProcessSpec & { ids: IdSpec }): void {
  section.call('setsid', [], { what: 'start a session' });
  section.call('dup3', [FDS.stdin, 0, 0], { what: 'set stdin' });
  section.call('dup3', [FDS.stdout, 1, 0], { what: 'set stdout' });
  section.call('dup3', [FDS.stderr, 2, 0], { what: 'set stderr' });
  const { enterUserns, idBase } = groundOf(process.ids);
  if (process.terminal !== undefined) takeTerminal(section, idBase + process.user.uid);
  // Before the user namespace, because only the host's rights raise a limit.
  limitResources(section, process);
  if (enterUserns === 'last') becomeContainerRoot(section, { ...process, base: idBase });
  // Before chdir, because a cwd of /proc/self/fd/N must find no directory of the host there (CVE-2024-21626). The
  // report pipe stays until execve closes it.
  section.call('close_range', [3, FDS.report - 1, 0], { what: 'close what the payload must not have' });
  section.call('close_range', [FDS.report + 1, 0xffff_ffff, 0], { what: 'close the rest' });
  dropPrivileges(section, process);
  // Docker's, whatever ours was: what a process makes is for others to read and not to write.
  section.call('umask', [octal(0o022)]);
  section.call('chdir', [process.cwd], { what: `enter "${process.cwd}"` });
  // After the credentials have changed, because a change clears it (prctl(2)).
  section.call('prctl', [flags(PR, 'PR_SET_PDEATHSIG'), SIGKILL, 0, 0, 0], { what: 'die with the parent' });
  for (const file of candidates(process)) {
    section.call('execve', [file, strings(process.argv), strings(process.env)], {
      what: `execute ${file}`,
      tolerate: NOT_HERE,
    });
  }
}

function limitResources(section: SectionBuilder, { openFiles, ulimits }: ProcessSpec): void {
  const limits = struct(openFiles, `{${openFiles.join(', ')}}`);
  section.call('prlimit64', [0, RLIMIT_NOFILE, limits, 0], { what: 'limit open files', tolerate: ['EPERM'] });
  for (const { name, resource, soft, hard } of ulimits) {
    const text = `{${soft ?? 'unlimited'}, ${hard ?? 'unlimited'}}`;
    const limit = { kind: 'bytes', value: encodeLimit(soft, hard), text } as const;
    section.call('prlimit64', [0, resource, limit, 0], { what: `limit ${name}` });
  }
}

function dropPrivileges(section: SectionBuilder, process: ProcessSpec): void {
  const { capabilities, seccomp, noNewPrivileges, user } = process;
  for (const [name, number] of Object.entries(CAPABILITIES)) {
    if ((capabilities as readonly string[]).includes(name)) continue;
    // EINVAL: a capability that this kernel does not know.
    section.call('prctl', [flags(PR, 'PR_CAPBSET_DROP'), number, 0, 0, 0], {
      what: `drop ${name}`,
      tolerate: ['EINVAL'],
    });
  }
  section.call('prctl', [flags(PR, 'PR_CAP_AMBIENT'), PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], {
    what: 'clear ambient capabilities',
  });
  // Before the user changes, because without no_new_privs only CAP_SYS_ADMIN may install a filter.
  if (!noNewPrivileges) installFilter(section, seccomp);
  const groups = Buffer.alloc(user.groups.length * 4);
  user.groups.forEach((gid, i) => {
    groups.writeUInt32LE(gid, i * 4);
  });
  const list = { kind: 'bytes', value: groups, text: `[${user.groups.join(', ')}]` } as const;
  section.call('setgroups', [user.groups.length, list], { what: 'set groups' });
  section.call('setresgid', [user.gid, user.gid, user.gid], { what: `become group ${user.gid}` });
  section.call('setresuid', [user.uid, user.uid, user.uid], { what: `become user ${user.uid}` });
  // The kernel has already cleared the capabilities of a user other than root, and the bounding set limits root's.
  if (user.uid === 0) setCapabilities(section, capabilityMask(capabilities));
  if (!noNewPrivileges) return;
  section.call('prctl', [flags(PR, 'PR_SET_NO_NEW_PRIVS'), 1, 0, 0, 0], {
    what: 'give up all further privileges',
  });
  // Last, because a filter of the user's may forbid what went before.
  installFilter(section, seccomp);
}

function installFilter(section: SectionBuilder, seccomp: Uint8Array | undefined): void {
  if (seccomp === undefined) return;
  const filter = struct(
    [seccomp.length / 8, { kind: 'bytes', value: seccomp }],
    `<filter of ${seccomp.length / 8}>`,
  );
  section.call('seccomp', [SECCOMP_SET_MODE_FILTER, 0, filter], { what: 'install the seccomp filter' });
}

/** The files that execvp would try, in its order. */
function candidates({ argv, env }: ProcessSpec): string[] {
  const command = argv[0]!;
  if (command.includes('/')) return [command];
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice(5) ?? '';
  return path.split(':').map((directory) => `${directory || '.'}/${command}`);
}
