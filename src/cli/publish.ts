import type { ContainerInspectInfo } from 'dockerode';
import type { PortOption } from '../containers/container-options.ts';
import { UsageError } from './usage-error.ts';

const PUBLISH =
  /^(?:(?:\[(?<v6>[\da-fA-F:]+)\]|(?<v4>\d+\.[\d.]+)):)?(?:(?<host>\d*):)?(?<container>\d+)(?:\/(?<protocol>\w+))?$/;
const MOST = 65_535;

/** `-p [ADDRESS:][HOST PORT:]PORT[/tcp]`, with an IPv6 address in brackets. @throws UsageError */
export function parsePublish(text: string): PortOption {
  const { v6, v4, host = '', container, protocol = 'tcp' } = PUBLISH.exec(text)?.groups ?? {};
  const ports = [Number(container), Number(host)];
  if (container === undefined || ports.some((port) => port > MOST))
    throw new UsageError(`not a port to publish: ${text}`, 'write 8080:80, 127.0.0.1:8080:80 or 80');
  if (protocol !== 'tcp')
    throw new UsageError(`cannot publish ${protocol}: ${text}`, 'only TCP is forwarded');
  const hostIp = v6 ?? v4;
  return { container: ports[0]!, host: ports[1]!, ...(hostIp === undefined ? {} : { hostIp }) };
}

/** `127.0.0.1:8080->80/tcp, 81/tcp`, as docker ps has it. */
export function describePorts({ NetworkSettings }: ContainerInspectInfo): string {
  return Object.entries(NetworkSettings.Ports)
    .flatMap(([port, bindings]) => {
      const published = addressesOf(bindings).map((address) => `${address}->${port}`);
      return published.length > 0 ? published : [port];
    })
    .join(', ');
}

/** `127.0.0.1:8080`, `[::1]:8080` */
export function addressesOf(bindings: readonly { HostIp: string; HostPort: string }[] | undefined): string[] {
  return (bindings ?? []).map(({ HostIp, HostPort }) =>
    HostIp.includes(':') ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`,
  );
}
