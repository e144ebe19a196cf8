import type { ContainerInspectInfo } from 'dockerode';
import type { PublishedPort } from '../networks/publish.ts';
import type { Container } from './container.ts';
import type { ContainerOptions } from './container-options.ts';
import type { ContainerParts } from './container-parts.ts';
import type { ContainerRecord } from './container-record.ts';
import { resolveHealthCheck } from './health/health-check.ts';
import { inspectHealth, inspectHealthCheck } from './health/inspect-health.ts';
import { inspectLimits } from './limits/inspect-limits.ts';
import { isPaused } from './pause.ts';
import { inspectPrivileges } from './privileges/inspect-privileges.ts';
import { isCreated } from './remains.ts';

const NEVER = '0001-01-01T00:00:00Z';

interface Inspected {
  readonly parts: ContainerParts;
  readonly container: Container;
}

/** `GET /containers/{id}/json` of the Docker Engine API, version 1.44, as far as mayfly has the notions. */
export function inspectContainer(inspected: Inspected): ContainerInspectInfo {
  const { parts, container } = inspected;
  const { spec, image, createdAt } = parts.record;
  const files = new Map(spec.files.map(({ target, source }) => [target, source]));
  return {
    Id: container.id,
    Created: createdAt,
    Path: spec.process.argv[0]!,
    Args: spec.process.argv.slice(1),
    State: stateOf(parts),
    Image: image.id,
    ResolvConfPath: files.get('/etc/resolv.conf') ?? '',
    HostnamePath: files.get('/etc/hostname') ?? '',
    HostsPath: files.get('/etc/hosts') ?? '',
    LogPath: spec.log.path,
    Name: `/${container.name}`,
    RestartCount: Math.max(0, parts.record.restarts),
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    HostConfig: hostConfigOf(parts.record),
    GraphDriver: { Name: 'overlay2', Data: { DeviceId: '', DeviceName: '', DeviceSize: '' } },
    Mounts: spec.mounts.map((mount) => ({
      Type: mount.type,
      Source: mount.type === 'bind' ? mount.source : '',
      Destination: mount.target,
      Mode: '',
      RW: mount.type === 'tmpfs' || !mount.readOnly,
      Propagation: mount.type === 'bind' ? 'rprivate' : '',
    })),
    Config: configOf(inspected),
    NetworkSettings: networkOf(inspected),
  };
}

function stateOf(parts: ContainerParts): ContainerInspectInfo['State'] {
  const { pid, exit, health } = parts.run;
  const paused = isPaused(parts);
  const created = isCreated(parts.record);
  return {
    Status: created ? 'created' : exit !== undefined ? 'exited' : paused ? 'paused' : 'running',
    Running: exit === undefined,
    Paused: paused,
    Restarting: false,
    OOMKilled: exit?.oomKilled ?? false,
    Dead: false,
    Pid: exit === undefined ? pid : 0,
    ExitCode: exit?.exitCode ?? 0,
    Error: '',
    StartedAt: created ? NEVER : parts.record.startedAt,
    FinishedAt: created ? NEVER : (exit?.at.toISOString() ?? NEVER),
    // Nobody knows it but who checks it: the process that started the container.
    ...(health === undefined ? {} : { Health: inspectHealth(health) }),
  };
}

function hostConfigOf({ options, spec }: ContainerRecord): ContainerInspectInfo['HostConfig'] {
  return {
    NetworkMode: options.network ?? 'default',
    Init: spec.init,
    AutoRemove: options.autoRemove ?? false,
    ShmSize: spec.shmSize,
    ...inspectPrivileges(spec.privileges),
    CapAdd: options.capAdd === undefined ? null : [...options.capAdd],
    CapDrop: options.capDrop === undefined ? null : [...options.capDrop],
    SecurityOpt: options.securityOpt === undefined ? null : [...options.securityOpt],
    ReadonlyRootfs: spec.readOnly,
    ...(spec.rootfs.storage === undefined ? {} : { StorageOpt: { size: String(spec.rootfs.storage) } }),
    Sysctls: { ...options.sysctls },
    ExtraHosts: Object.entries(options.extraHosts ?? {}).map(([name, address]) => `${name}:${address}`),
    UsernsMode: spec.ids.kind === 'private' ? 'private' : '',
    IpcMode: modeOf(options.ipc),
    PidMode: typeof options.pid === 'object' ? modeOf(options.pid) : '',
    ...inspectLimits(spec),
    Binds: spec.mounts.flatMap((mount) =>
      mount.type === 'bind' ? [`${mount.source}:${mount.target}:${mount.readOnly ? 'ro' : 'rw'}`] : [],
    ),
  };
}

function configOf({ parts, container }: Inspected): ContainerInspectInfo['Config'] {
  const { options, spec, image } = parts.record;
  const check = parts.run.health?.check ?? resolveHealthCheck(options.healthCheck, image.config.Healthcheck);
  return {
    Hostname: spec.hostname,
    Domainname: '',
    User: options.user ?? image.config.User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ExposedPorts: Object.fromEntries(container.ports.map((port) => [`${port}/tcp`, {}])),
    Tty: spec.process.terminal !== undefined,
    OpenStdin: spec.openStdin,
    StdinOnce: spec.openStdin && !spec.detached,
    Env: [...spec.process.env],
    Cmd: [...(options.command ?? image.config.Cmd ?? [])],
    Image: image.reference,
    Volumes: image.config.Volumes ?? {},
    WorkingDir: spec.process.cwd,
    Entrypoint: [...(options.entrypoint ?? image.config.Entrypoint ?? [])],
    Labels: { ...image.config.Labels, ...options.labels },
    ...(check === undefined ? {} : { Healthcheck: inspectHealthCheck(check) }),
  };
}

function networkOf({ parts, container }: Inspected): ContainerInspectInfo['NetworkSettings'] {
  const { attachment, published } = parts.record;
  return {
    SandboxID: container.id,
    SandboxKey: '',
    Ports: Object.fromEntries(container.ports.map((port) => [`${port}/tcp`, bindingsOf(port, published)])),
    Networks: {
      [attachment.networkName]: {
        NetworkID: attachment.networkName,
        EndpointID: container.id,
        Gateway: attachment.gateway ?? '',
        IPAddress: attachment.ip ?? '',
        IPPrefixLen: attachment.prefix ?? 0,
        IPv6Gateway: '',
        GlobalIPv6Address: '',
        GlobalIPv6PrefixLen: 0,
        MacAddress: attachment.mac ?? '',
      },
    },
  };
}

/** As Docker writes it: `container:<name>`. */
function modeOf(shared: ContainerOptions['ipc']): string {
  return typeof shared === 'object' ? `container:${shared.container}` : 'private';
}

/** Empty when the port is reached at the container's own address. */
function bindingsOf(
  port: number,
  published: readonly PublishedPort[],
): { HostIp: string; HostPort: string }[] {
  return published
    .filter(({ container }) => container === port)
    .flatMap(({ host, hostIps }) => hostIps.map((HostIp) => ({ HostIp, HostPort: String(host) })));
}
