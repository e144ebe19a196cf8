import type { ContainerOptions } from '../../containers/container-options.ts';
import type { DeviceOption } from '../../containers/devices.ts';
import type { OptionValues } from '../command.ts';
import type { CREATE_OPTIONS } from '../table/run-options.ts';
import { UsageError } from '../usage-error.ts';
import { splitPair, wholeNumber } from './pairs.ts';

type Given = Pick<
  OptionValues<typeof CREATE_OPTIONS>,
  | 'privileged'
  | 'capAdd'
  | 'capDrop'
  | 'securityOpt'
  | 'ulimit'
  | 'sysctl'
  | 'userns'
  | 'ipc'
  | 'pid'
  | 'groupAdd'
  | 'device'
>;

/** What the container may do, and what it shares. @throws UsageError */
export function privilegeOptions(given: Given): Partial<ContainerOptions> {
  const { userns } = given;
  if (userns !== undefined && !['private', 'host', ''].includes(userns))
    throw new UsageError(`not a user namespace: ${userns}`, 'there are: private, host');
  return {
    privileged: given.privileged,
    capAdd: given.capAdd,
    capDrop: given.capDrop,
    securityOpt: given.securityOpt,
    ulimits: Object.fromEntries(given.ulimit.map(parseUlimit)),
    sysctls: Object.fromEntries(
      given.sysctl.map((text) =>
        splitPair(text, '=', { what: 'a kernel setting', form: 'net.core.somaxconn=1024' }),
      ),
    ),
    groupAdd: given.groupAdd,
    devices: given.device.map(parseDevice),
    ...(userns === 'private' ? { userns } : {}),
    ...sharing('ipc', given.ipc, ['private', 'shareable', '']),
    ...sharing('pid', given.pid, ['private', '']),
  };
}

/** `nofile=1024:2048`, `nofile=1024` */
function parseUlimit(text: string): [string, { soft: number; hard: number }] {
  const [name, value] = splitPair(text, '=', { what: 'a ulimit', form: 'nofile=1024 or nofile=1024:2048' });
  const [soft, hard] = value.split(':').map((part) => wholeNumber(part, 'a ulimit'));
  return [name, { soft: soft!, hard: hard ?? soft! }];
}

/** `/dev/fuse`, `/dev/fuse:/dev/my`, `/dev/fuse:/dev/my:rw` */
function parseDevice(text: string): DeviceOption {
  const [host = '', ...rest] = text.split(':');
  const access = rest.find((part) => /^[rwm]{1,3}$/.test(part));
  const container = rest.find((part) => part.startsWith('/'));
  if (!host.startsWith('/') || rest.length > [access, container].filter(Boolean).length)
    throw new UsageError(
      `not a device: ${text}`,
      'write /dev/fuse, /dev/fuse:/dev/my or /dev/fuse:/dev/my:rwm',
    );
  return {
    host,
    ...(container === undefined ? {} : { container }),
    ...(access === undefined ? {} : { access }),
  };
}

function sharing(
  name: 'ipc' | 'pid',
  mode: string | undefined,
  own: readonly string[],
): Partial<ContainerOptions> {
  if (mode === undefined || own.includes(mode)) return {};
  const container = /^container:(.+)$/.exec(mode)?.[1];
  if (container !== undefined) return { [name]: { container } };
  throw new UsageError(`--${name}=${mode} is not supported`, `there are: private, container:NAME`);
}
