import { inspectNetwork, type NetworkDetails } from '../../containers/network-details.ts';
import type { Invocation } from '../command.ts';
import { printInspected } from '../inspected.ts';

export function run({
  options,
  args,
  output,
}: Invocation<{ format: string | undefined }, { network: readonly string[] }>): Promise<number> {
  const inspect = async (name: string) => networkInfo(await inspectNetwork(name));
  return printInspected(args.network, { inspect, format: options.format, output });
}

/** `GET /networks/{id}` of the Docker Engine API, as far as mayfly has the notions. */
function networkInfo({ name, driver, subnet, gateway, containers }: NetworkDetails): object {
  return {
    Name: name,
    Id: name,
    Scope: 'local',
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: subnet === undefined ? [] : [{ Subnet: subnet, Gateway: gateway }],
    },
    Internal: false,
    Attachable: false,
    Ingress: false,
    Containers: Object.fromEntries(
      containers.map(({ id, name: container, address = '', mac = '' }) => [
        id,
        { Name: container, EndpointID: id, MacAddress: mac, IPv4Address: address, IPv6Address: '' },
      ]),
    ),
    Options: {},
    Labels: {},
  };
}
