import type { ContainerOptions } from '../../containers/container-options.ts';
import { windowSize } from '../../kernel/terminal/own-terminal.ts';
import type { OptionValues } from '../command.ts';
import { parseLabels, readEnvironment, readList } from '../environment.ts';
import { parsePublish } from '../publish.ts';
import type { CREATE_OPTIONS } from '../table/run-options.ts';
import { UsageError } from '../usage-error.ts';
import { parseTmpfs, parseVolume } from '../volume.ts';
import { healthOptions } from './health.ts';
import { limitOptions } from './limits.ts';
import { parseMount } from './mount.ts';
import { splitPair, wholeNumber } from './pairs.ts';
import { privilegeOptions } from './privileges.ts';
import { said } from './said.ts';

export type CreateOptions = OptionValues<typeof CREATE_OPTIONS>;

/** What the options of `run` and `create` make of a container of `args`. @throws UsageError */
export function containerOptions(
  options: CreateOptions,
  args: { readonly image: string; readonly command: readonly string[] },
  env: NodeJS.ProcessEnv,
): ContainerOptions {
  const { restart = 'no', rm, stopTimeout } = options;
  if (restart !== 'no')
    throw new UsageError(
      `--restart ${restart} is not supported`,
      'there is no daemon that could start it again: run mayfly start, or have a service manager do it',
    );
  return {
    image: args.image,
    ...(args.command.length === 0 ? {} : { command: args.command }),
    ...said({
      env: readEnvironment(options, env),
      labels: parseLabels([...options.labelFile.flatMap(readList), ...options.label]),
      mounts: [
        ...options.volume.map(parseVolume),
        ...options.mount.map(parseMount),
        ...options.tmpfs.map(parseTmpfs),
      ],
      readOnly: options.readOnly,
      autoRemove: rm,
      openStdin: options.interactive,
      tty: options.tty && (windowSize(0) ?? true),
      ...networkOptions(options),
      ...privilegeOptions(options),
    }),
    pull: options.pull as NonNullable<ContainerOptions['pull']>,
    ...given({
      name: options.name,
      user: options.user,
      cwd: options.workdir,
      entrypoint: entrypointOf(options.entrypoint),
      platform: options.platform,
      shmSize: options.shmSize,
      storageSize: only('size', options.storageOpt, '--storage-opt'),
      logLimit: only('max-size', options.logOpt, '--log-opt'),
      stopSignal: options.stopSignal,
      stopTimeout: stopTimeout === undefined ? undefined : stopTimeout * 1000,
      ...limitOptions(options),
    }),
    ...healthOptions(options),
  };
}

function entrypointOf(text: string | undefined): string[] | undefined {
  return text === undefined ? undefined : text === '' ? [] : [text];
}

function networkOptions(options: CreateOptions): Partial<ContainerOptions> {
  const ports = [
    ...options.expose.map((text) => wholeNumber(text.replace(/\/tcp$/, ''), 'a port')),
    ...options.publish.map(parsePublish),
  ];
  const hosts = options.addHost.map((text) =>
    splitPair(text.replace('=', ':'), ':', { what: 'a host', form: 'NAME:ADDRESS' }),
  );
  return {
    network: options.network as NonNullable<ContainerOptions['network']>,
    extraHosts: Object.fromEntries(
      hosts.map(([name, address]) => [name, address.replace(/^\[(.*)\]$/, '$1')]),
    ),
    ...(ports.length === 0 ? {} : { ports }),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    ...(options.publishAll ? { publishAll: true } : {}),
  };
}

/** The value of the one key that there is in a list of `key=value`. */
function only(key: string, list: readonly string[], option: string): string | undefined {
  const values = list.map((text) => splitPair(text, '=', { what: `for ${option}`, form: `${key}=VALUE` }));
  const other = values.find(([name]) => name !== key);
  if (other !== undefined) throw new UsageError(`${option} ${other[0]} is not supported`, `there is: ${key}`);
  return values.at(-1)?.[1];
}

/** Without what was not given. */
function given<Values extends object>(
  values: Values,
): { [K in keyof Values]?: Exclude<Values[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
