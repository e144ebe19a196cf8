import { CLONE, O } from '../../kernel/mounts/flags.ts';
import { ensureDirectory, type InRoot, openInRoot } from '../../kernel/mounts/in-root.ts';
import { setAttributes } from '../../kernel/mounts/mount.ts';
import { FDS } from '../../kernel/program/abi.ts';
import { buffer, flags, ProgramBuilder, type SectionBuilder } from '../../kernel/program/builder.ts';
import type { Program, Result } from '../../kernel/program/instruction.ts';
import type { ContainerSpec } from '../spec/container-spec.ts';
import { listenForClients } from './attach.ts';
import { joinCgroup, leaveCgroup, OOM_REPORT, openCgroup, watchOom } from './cgroup.ts';
import { copyAhead } from './copy-ahead.ts';
import { mountDev } from './devices.ts';
import { awaitFormer, awaitTold } from './former.ts';
import { cloneForwarder, serveForwarder } from './forwarder.ts';
import { groundOf } from './ground.ts';
import { cloneGuard, dismissGuard, joinGuarded, standGuard } from './guard.ts';
import { hidePaths } from './hidden-paths.ts';
import { openHostFile, pin } from './host-file.ts';
import { bindSys, mountCgroups, mountProc, mountSys } from './kernel-mounts.ts';
import { openMarks, takeTime, writeMarks } from './marks.ts';
import { enterShared, ownNamespaces, prepareNamespaces } from './namespaces.ts';
import { makeAsContainerRoot, mapOwnersInPlace } from './private-ids.ts';
import { becomeProcess } from './process.ts';
import { enterRootfs, makeStorage, mountRootfs } from './rootfs.ts';
import { keepWritable, mountForUser, openSources } from './user-mounts.ts';
import { enterUserNamespace } from './user-namespace.ts';

/** What an eventfd(2) counts up by. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

/** What the compiler needs to know about the host; the rest of the policy is in the spec. */
export interface HostFacts {
  /** CPUs that have a thermal_throttle directory. */
  readonly throttles: readonly number[];
  /** True when a path of the host is not a directory. */
  readonly isFile: (path: string) => boolean;
}

export interface StartOptions {
  /** There is a client of its streams on fd `attached`. Default: false. */
  readonly attached?: boolean;
  /**
   * It takes the place of another process tree, whose init is fd `pidfd`, and begins when it has been told to and that one has ended or
   * is in nobody's way. Default: false.
   */
  readonly succeeds?: boolean;
  /** Absolute paths in the rootfs of files that it is going to write to. Default: none that are known. */
  readonly copied?: readonly string[];
}

/**
 * The program that turns a spec into a running container.
 *
 * With an init, the init's section prepares the namespaces and clones the payload. Without one (the image's process
 * must be PID 1), init only guards, and the payload prepares everything in a PID namespace nested in init's.
 */
export function compileStart(
  spec: ContainerSpec,
  host: HostFacts,
  { attached = false, succeeds = false, copied = [] }: StartOptions = {},
): Program {
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const guard = spec.shared.pid ? program.section('guard', 'payload') : undefined;
  const init = program.section('init', 'init');
  // Without our init there is nobody to reap it.
  const copier = spec.init && copied.length > 0 ? program.section('copier', 'payload') : undefined;
  const payload = program.section('payload', 'payload');
  const forwarder = spec.forward && program.section('forwarder', 'payload');
  const teardown = program.section('teardown', 'teardown');

  // 1. In the shim, on the host: the network, the files that outlive the rootfs, the cgroup, the birth of init.
  // The user namespace comes before everything, because an ordinary user has rights only there.
  if (groundOf(spec.ids).enterUserns === 'first') enterUserNamespace(shim);
  takeTime(shim, 'begun');
  spec.network.prepare(shim);
  if (forwarder && spec.forward) cloneForwarder(shim, { forwarder, spec: spec.forward });
  pin(shim, FDS.log, openHostFile(shim, spec.log.path, ['O_WRONLY', 'O_CREAT', 'O_APPEND']));
  pin(shim, FDS.runRecord, openHostFile(shim, spec.runRecord, ['O_WRONLY', 'O_CREAT', 'O_TRUNC']));
  openHostFile(shim, spec.pulse, ['O_RDWR']);
  listenForClients(shim, spec.attach);
  const marks = openMarks(shim, spec.marks);
  const cgroup = openCgroup(shim, spec.cgroup);
  const notice = watchOom(shim, spec.cgroup);
  const connected = shim.call('eventfd2', [0, flags(O, 'O_CLOEXEC')], { what: 'make an event' });
  if (groundOf(spec.ids).storageMaker === 'shim') makeStorage(shim, spec.rootfs);
  // Before the shim's children are born in the other container's PID namespace.
  const guarded = guard && cloneGuard(shim, { guard, cgroup: spec.cgroup });
  const { shm } = prepareNamespaces(shim, spec);
  takeTime(shim, 'cloning');
  shim.clone(init, spec.init ? ownNamespaces(spec, { pid: true }) : flags(CLONE, 'CLONE_NEWPID'), {
    what: 'clone init',
    ...(cgroup.unified === undefined ? {} : { cgroup: cgroup.unified }),
  });

  // While init mounts. A failure here ends init too.
  spec.network.connect(shim);
  takeTime(shim, 'connected');
  writeMarks(shim, marks, ['begun', 'cloning', 'connected']);
  shim.call('write', [connected, ONE, 8], { what: 'say that the network is there' });

  if (guard && guarded) standGuard(guard, guarded);

  // 2. In init, which clone has bound to the life of the shim.
  takeTime(init, 'born');
  joinCgroup(init, cgroup);
  if (guarded) joinGuarded(init, guarded);
  const root = spec.init ? prepareContainer(init, { spec, host, connected, shm, marks }) : undefined;
  if (copier) init.clone(copier, flags(CLONE), { what: 'clone the copier' });
  init.clone(payload, spec.init ? flags(CLONE) : ownNamespaces(spec, { pid: true }), {
    what: 'clone the payload',
  });

  if (copier && root) copyAhead(copier, { root, paths: copied });

  // 3. In the payload.
  if (!spec.init) prepareContainer(payload, { spec, host, connected, shm, marks });
  if (succeeds) {
    awaitTold(payload);
    awaitFormer(payload);
  }
  becomeProcess(payload, { ...spec.process, ids: spec.ids });
  if (forwarder && spec.forward) {
    // Until then connections are the former one's.
    if (succeeds) awaitTold(forwarder);
    serveForwarder(forwarder, spec.forward);
  }

  // 4. In the shim again, when everything inside is dead.
  if (guarded) dismissGuard(teardown);
  leaveCgroup(teardown, spec.cgroup);
  return program.build({
    report: OOM_REPORT,
    logLimit: spec.log.limit,
    detached: spec.detached,
    attach: ['listen', ...(attached ? (['client'] as const) : []), ...inputOf(spec)],
    ...(notice === undefined ? {} : { notice }),
  });
}

/** How the shim comes by what it writes the first process's input to. */
function inputOf({ process, openStdin }: ContainerSpec): ('terminal' | 'pipe')[] {
  if (process.terminal !== undefined) return ['terminal'];
  return openStdin ? ['pipe'] : [];
}

interface Preparation {
  readonly spec: ContainerSpec;
  readonly host: HostFacts;
  /** The event by which the shim says that the network is there. */
  readonly connected: Result;
  /** Another container's /dev/shm. */
  readonly shm: Result | undefined;
  readonly marks: Result;
}

/** Everything between the new namespaces and a world in which the payload can run. Result: an fd of its root. */
function prepareContainer(
  section: SectionBuilder,
  { spec, host, connected, shm, marks }: Preparation,
): Result {
  // After the process has joined its cgroups, because the namespace is rooted where the process is.
  section.call('unshare', [flags(CLONE, 'CLONE_NEWCGROUP')], { what: 'unshare the cgroup namespace' });
  section.call('umask', [0]);
  enterShared(section, spec);
  if (!spec.network.host)
    section.call('setns', [FDS.netns, flags(CLONE, 'CLONE_NEWNET')], { what: 'enter the network namespace' });
  const ground = groundOf(spec.ids);
  const isPrivate = ground.enterUserns === 'last';
  if (isPrivate) makeAsContainerRoot(section, ground.idBase);
  if (ground.storageMaker === 'init') makeStorage(section, spec.rootfs);
  const root = mountRootfs(section, spec.rootfs, {
    options: ground.overlayOptions,
    prepare: isPrivate ? (directories) => mapOwnersInPlace(section, directories) : undefined,
  });
  const tree: InRoot = { section, root };
  // Before the rootfs is entered, because the sources lie on the host.
  const sources = openSources(tree, spec);
  const proc = mountProc(tree);
  const { privileged } = spec.privileges;
  const bound = spec.network.host && ground.sysOnHostNetwork === 'bound';
  const sys = bound ? bindSys(tree) : mountSys(tree, { writable: privileged });
  mountCgroups(tree, sys, { mounts: spec.cgroup.mounts, writable: privileged });
  const dev = mountDev(tree, { ...spec, shm, ground, terminal: spec.process.terminal });
  keepWritable(tree, spec.writable);
  mountForUser(tree, { spec, sources, isFile: host.isFile });
  // Before /proc/sys becomes read-only.
  if (!spec.network.host) setNetworkSysctls(section, { proc, lastGroup: ground.lastGroup });
  // Those of an interface need the interface.
  const early = spec.sysctls.some(({ path }) => path.startsWith('net/'));
  if (early) awaitNetwork(section, connected);
  for (const { path, value } of spec.sysctls) writeSysctl({ section, root: proc }, { path, value });
  if (!privileged) hidePaths(tree, { proc, sys, dev, throttles: host.throttles });
  ensureDirectory(tree, spec.process.cwd);
  // When everything that has to be made in it is there.
  if (spec.readOnly) setAttributes(section, root, { attributes: ['MOUNT_ATTR_RDONLY'] });
  section.call('sethostname', [spec.hostname, Buffer.byteLength(spec.hostname)], {
    what: 'set the hostname',
  });
  enterRootfs(section, root);
  takeTime(section, 'mounted');
  writeMarks(section, marks, ['born', 'mounted']);
  if (!early) awaitNetwork(section, connected);
  return root;
}

function awaitNetwork(section: SectionBuilder, connected: Result): void {
  section.call('read', [connected, buffer(8), 8], { what: 'wait for the network' });
}

/** Docker's: any user may open low ports and send pings in a network of its own. */
function setNetworkSysctls(
  section: SectionBuilder,
  { proc, lastGroup }: { proc: Result; lastGroup: number },
): void {
  for (const [name, value] of [
    ['ip_unprivileged_port_start', '0'],
    ['ping_group_range', `0 ${lastGroup}`],
  ] as const) {
    writeSysctl({ section, root: proc }, { path: `net/ipv4/${name}`, value });
  }
}

function writeSysctl({ section, root }: InRoot, { path, value }: { path: string; value: string }): void {
  // Nothing but procfs itself: a mount that found its way there could lead the write elsewhere (CVE-2025-52881).
  const file = openInRoot({ section, root }, `sys/${path}`, {
    flags: ['O_WRONLY'],
    refuseLinks: true,
    refuseMounts: true,
  });
  section.call('write', [file, value, Buffer.byteLength(value)], {
    what: `set ${path.replaceAll('/', '.')}`,
  });
}
