import type { Container } from '../../containers/container.ts';
import type { ContainerOptions } from '../../containers/container-options.ts';
import { startContainer } from '../../containers/start.ts';
import type { Invocation } from '../command.ts';
import { parseLabels, readEnvironment } from '../environment.ts';
import type { Output } from '../output.ts';
import { isPreset, startByName } from '../preset-start.ts';
import { parsePublish } from '../publish.ts';
import { UsageError } from '../usage-error.ts';
import { parseTmpfs, parseVolume } from '../volume.ts';

type Options = {
  detach: boolean;
  rm: boolean;
  name: string | undefined;
  env: readonly string[];
  envFile: readonly string[];
  publish: readonly string[];
  volume: readonly string[];
  tmpfs: readonly string[];
  label: readonly string[];
  user: string | undefined;
  workdir: string | undefined;
  hostname: string | undefined;
  entrypoint: string | undefined;
  network: string;
  memory: string | undefined;
  memorySwap: string | undefined;
  memoryReservation: string | undefined;
  cpus: string | undefined;
  cpuShares: number | undefined;
  cpusetCpus: string | undefined;
  pidsLimit: number | undefined;
  shmSize: string | undefined;
  stopSignal: string | undefined;
  stopTimeout: number | undefined;
  pull: string;
};

export async function run({
  options,
  args,
  output,
  env,
}: Invocation<Options, { image: string; command: readonly string[] }>): Promise<number> {
  const { detach, rm } = options;
  if (detach && rm)
    throw new UsageError(
      '--detach and --rm exclude each other',
      'remove it with mayfly rm when it has ended',
    );
  const common = {
    ...containerOptions(options, env),
    ...(args.command.length === 0 ? {} : { command: args.command }),
    // What is not to be kept ends with this process, however that comes about.
    detached: !rm,
  };
  const container = isPreset(args.image, common)
    ? await startByName(args.image, { options: common, output })
    : await startContainer({ ...common, image: args.image });
  if (!detach) return attend(container, { rm, output });
  output.print(container.id);
  await container[Symbol.asyncDispose]();
  return 0;
}

function containerOptions(options: Options, env: NodeJS.ProcessEnv): Omit<ContainerOptions, 'image'> {
  const { entrypoint, workdir, cpusetCpus, pidsLimit, cpus, stopTimeout, network, pull } = options;
  const given = {
    name: options.name,
    user: options.user,
    hostname: options.hostname,
    cwd: workdir,
    entrypoint: entrypoint === undefined ? undefined : entrypoint === '' ? [] : [entrypoint],
    memory: options.memory,
    memorySwap: options.memorySwap === '-1' ? 'unlimited' : options.memorySwap,
    memoryReservation: options.memoryReservation,
    cpus: cpus === undefined ? undefined : Number(cpus),
    cpuShares: options.cpuShares,
    cpuset: cpusetCpus,
    pids: pidsLimit,
    shmSize: options.shmSize,
    stopSignal: options.stopSignal,
    stopTimeout: stopTimeout === undefined ? undefined : stopTimeout * 1000,
  };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    env: readEnvironment(options, env),
    labels: parseLabels(options.label),
    ...(options.publish.length === 0 ? {} : { ports: options.publish.map(parsePublish) }),
    mounts: [...options.volume.map(parseVolume), ...options.tmpfs.map(parseTmpfs)],
    network: network as NonNullable<ContainerOptions['network']>,
    pull: pull as NonNullable<ContainerOptions['pull']>,
  };
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Shows what a container writes and passes signals on until it ends. The exit code is the container's. */
async function attend(
  container: Container,
  { rm, output }: { rm: boolean; output: Output },
): Promise<number> {
  const forward = (signal: NodeJS.Signals) => void container.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    for await (const { stream, text } of container.logs({ follow: true })) output.write(stream, `${text}\n`);
    const { exitCode } = await container.wait();
    if (rm) await container.remove();
    return exitCode;
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
    await container[Symbol.asyncDispose]();
  }
}
