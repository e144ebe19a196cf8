import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostsFile } from '../networks/hosts-file.ts';
import { resolvConf } from '../networks/resolv-conf.ts';

/** The files of /etc that no image can know, in the container's directory. */
export function writeEtcFiles(
  directory: string,
  { hostname, ip, hostNetwork }: { hostname: string; ip: string | undefined; hostNetwork: boolean },
): ReadonlyMap<string, string> {
  const contents = {
    hosts: hostsFile({ hostname, ip }),
    hostname: `${hostname}\n`,
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
