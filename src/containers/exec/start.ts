import type { ExecSpec } from '../../runtime/compile/exec.ts';
import type { ShimProcess } from '../../runtime/launch/shim-process.ts';
import {
  type ExecLaunch,
  type ExecProcess,
  startExecProcess,
  startSilentExec,
  startTerminalExec,
  type TerminalExec,
} from '../../runtime/launch/start-exec.ts';
import type { TerminalSize } from '../../runtime/spec/container-spec.ts';
import { MayflyError } from '../../support/error.ts';
import type { ContainerParts } from '../container-parts.ts';
import { innerPid } from '../inner-process.ts';
import { requireUnpaused } from '../pause.ts';
import { execPrivileges } from '../privileges/resolve-privileges.ts';
import { configuredEnv, envEntries, resolveProcess } from '../process-spec.ts';
import { requireRunning } from '../running.ts';
import { tellExec } from '../told/tell-exec.ts';
import { openPrivateNamespace } from '../user-namespace.ts';

/** As what a command runs in a container. */
export interface ExecIdentity {
  /** `user[:group]`, names or numbers as the image has them. Default: the container's user. */
  readonly user?: string;
  /** Added to the container's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute path. Default: the container's working directory. */
  readonly cwd?: string;
  /** With all capabilities that this process has and without a filter, as `docker exec --privileged`. Default: false. */
  readonly privileged?: boolean;
}

type Request = ExecIdentity & {
  argv: readonly string[];
  /** Whoever watches this home does not get to know of it. Default: false. */
  untold?: boolean;
};

/**
 * Launches one more process in a container.
 *
 * @throws ContainerError `container.exited` when it has ended; MayflyError `option.invalid` without a command,
 * `container.paused`
 */
export function startExec(parts: ContainerParts, request: Request): Promise<ExecProcess> {
  return launch(parts, { ...request, terminal: undefined }, startExecProcess);
}

/** The same on a terminal. */
export function startExecOnTerminal(
  parts: ContainerParts,
  { terminal, ...request }: Request & { terminal: TerminalSize },
): Promise<TerminalExec> {
  return launch(parts, { ...request, terminal }, startTerminalExec);
}

/** Launches a process that reads nothing, whose output nobody sees, and that goes on when this process ends. */
export async function startExecDetached(
  parts: ContainerParts,
  { terminal, ...request }: Request & { terminal: TerminalSize | undefined },
): Promise<void> {
  const shim = terminal
    ? (await startExecOnTerminal(parts, { ...request, terminal })).shim
    : await launch(parts, { ...request, terminal }, startSilentExec);
  await shim.started;
  shim.detach();
}

type Launched = Request & { terminal: TerminalSize | undefined };

async function launch<Started extends ShimProcess | { readonly shim: ShimProcess }>(
  parts: ContainerParts,
  { argv, user, env, cwd, privileged = false, untold = false, terminal }: Launched,
  start: (spec: ExecSpec, launch: ExecLaunch) => Started,
): Promise<Started> {
  if (argv.length === 0) throw new MayflyError('option.invalid', 'exec needs a command');
  const { engine, record, run } = parts;
  const { spec, options, image } = record;
  await requireRunning(parts, `executing ${argv[0]}`);
  requireUnpaused(parts);
  const pid = innerPid(parts);
  const process = resolveProcess(engine, {
    argv,
    // Not the environment that the first process got: HOME there is another user's.
    env: [...configuredEnv(options, image.config), envEntries(env)],
    cwd: cwd ?? spec.process.cwd,
    user: user ?? options.user ?? image.config.User ?? '',
    groups: options.groupAdd,
    hostname: spec.hostname,
    privileges: execPrivileges(spec.privileges, { privileged }),
    terminal,
    roots: [`/proc/${pid}/root`],
  });
  using userns = openPrivateNamespace(record);
  const started = start(
    {
      process,
      cgroup: spec.cgroup,
      ids: spec.ids,
      hostNetwork: spec.network.host,
      ownClocks: spec.clockOffsets !== undefined,
    },
    {
      binary: engine.binary,
      pid,
      userns: userns.fd,
      label: `exec ${run.pid}`,
      chooseFailpoint: engine.failpoints.exec,
    },
  );
  if (!untold) tellExec(parts, { argv, shim: 'shim' in started ? started.shim : started });
  return started;
}
