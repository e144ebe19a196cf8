import { type ExecProcess, startExecProcess } from '../../runtime/launch/start-exec.ts';
import { MayflyError } from '../../support/error.ts';
import type { ContainerParts } from '../container-parts.ts';
import { innerPid } from '../inner-process.ts';
import { requireUnpaused } from '../pause.ts';
import { execPrivileges } from '../privileges/resolve-privileges.ts';
import { configuredEnv, envEntries, resolveProcess } from '../process-spec.ts';
import { requireRunning } from '../running.ts';
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

/**
 * Launches one more process in a container.
 *
 * @throws ContainerError `container.exited` when it has ended; MayflyError `option.invalid` without a command,
 * `container.paused`
 */
export async function startExec(
  parts: ContainerParts,
  { argv, user, env, cwd, privileged = false }: ExecIdentity & { argv: readonly string[] },
): Promise<ExecProcess> {
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
    hostname: spec.hostname,
    privileges: execPrivileges(spec.privileges, { privileged }),
    roots: [`/proc/${pid}/root`],
  });
  using userns = openPrivateNamespace(record);
  return startExecProcess(
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
}
