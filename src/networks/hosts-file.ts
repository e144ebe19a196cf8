export interface HostsFile {
  readonly hostname: string;
  readonly ip: string | undefined;
  /** What `host-gateway` stands for. */
  readonly gateway: string | undefined;
  /** Further names and their addresses. */
  readonly extra: Readonly<Record<string, string>>;
}

/** /etc/hosts as Docker writes it (moby daemon/libnetwork/etchosts). */
export function hostsFile({ hostname, ip, gateway, extra }: HostsFile): string {
  const further = Object.entries(extra).map(
    // Without a gateway the host is on the other side of the loopback.
    ([name, address]) => `${address === 'host-gateway' ? (gateway ?? '127.0.0.1') : address}\t${name}`,
  );
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    `${ip ?? '127.0.1.1'}\t${hostname}`,
    ...further,
    '',
  ].join('\n');
}
