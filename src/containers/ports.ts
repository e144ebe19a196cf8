import type { ImageConfig } from '../images/store/image.ts';
import type { PortRequest, PublishedPort } from '../networks/publish.ts';
import { MayflyError } from '../support/error.ts';
import type { ContainerOptions, PortOption } from './container-options.ts';

/** TCP ports, from the options if these name any, else from an image's `{"5432/tcp": {}}`. */
export function exposedPorts(ports: readonly PortOption[] | undefined, config: ImageConfig): number[] {
  if (ports !== undefined) return ports.map((port) => (typeof port === 'number' ? port : port.container));
  return Object.keys(config.ExposedPorts ?? {})
    .map((entry) => entry.split('/') as [string, string?])
    .filter(([, protocol = 'tcp']) => protocol === 'tcp')
    .map(([port]) => Number(port));
}

/**
 * What has to be published: all exposed ports or none, so that one address reaches all of them. All where containers are
 * reached in no other way, and where the options ask it of one.
 */
export function portRequests(
  { ports, network = 'default' }: Pick<ContainerOptions, 'ports' | 'network'>,
  { config, always, before }: { config: ImageConfig; always: boolean; before: readonly PublishedPort[] },
): PortRequest[] {
  if (network !== 'default') return [];
  if (!always && (ports ?? []).every((port) => typeof port === 'number')) return [];
  return (ports ?? exposedPorts(undefined, config)).map((port) => {
    const { container, host = 0, hostIp } = typeof port === 'number' ? { container: port } : port;
    const preferred = before.find((port) => port.container === container)?.host;
    return { container, host, hostIp, preferred };
  });
}

/** Published under any number of the host's that is free: an option has one that only one container can have. */
export function withoutHostPort(port: PortOption): PortOption {
  return typeof port === 'number' ? port : { ...port, host: 0 };
}

/** Where this process reaches the ports of a container. */
export interface Reach {
  /** The container's own address. */
  readonly ipAddress: string;
  readonly published: readonly PublishedPort[];
}

/** An address of the host when ports are published, else the container's own. */
export function reachableHost({ ipAddress, published }: Reach): string {
  const [address] = published[0]?.hostIps ?? [];
  if (address === undefined) return ipAddress;
  // What listens on every address is reached on the loopback, too.
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address;
}

/**
 * The number by which a port of the container is reached at {@link reachableHost}.
 *
 * @throws MayflyError `container.no-port` when it is not published, though others are
 */
export function reachablePort({ published }: Reach, port: number): number {
  if (published.length === 0) return port;
  const found = published.find(({ container }) => container === port);
  if (found !== undefined) return found.host;
  throw new MayflyError('container.no-port', `port ${port} of the container is not published`, {
    hint: 'name it with the option ports',
  });
}
