import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HostsFile, hostsFile } from '../networks/hosts-file.ts';
import { resolvConf } from '../networks/resolv-conf.ts';

/** The files of /etc that no image can know, in the container's directory. */
export function writeEtcFiles(
  directory: string,
  { hostNetwork, ...hosts }: HostsFile & { hostNetwork: boolean },
): ReadonlyMap<string, string> {
  const contents = {
    hosts: hostsFile(hosts),
    hostname: `${hosts.hostname}\n`,
    'resolv.conf': resolvConf({ hostNetwork }),
  };
  return new Map(
    Object.entries(contents).map(([name, content]) => {
      const path = join(directory, name);
      writeFileSync(path, content, { mode: 0o644 });
      return [`/etc/${name}`, path];
    }),
  );
}
