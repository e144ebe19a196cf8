/** /etc/hosts as Docker writes it (moby daemon/libnetwork/etchosts). */
export function hostsFile({ hostname, ip }: { hostname: string; ip: string | undefined }): string {
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    `${ip ?? '127.0.1.1'}\t${hostname}`,
    '',
  ].join('\n');
}
