import { readIfThere } from '../../kernel/probe/kernel-file.ts';

/** The distribution of this machine, as far as commands differ. */
export interface Distribution {
  /** `Debian GNU/Linux 12 (bookworm)` */
  readonly name: string;
  readonly family: 'debian' | 'fedora' | 'other';
}

/** Reads os-release(5). */
export function readDistribution(
  text = readIfThere('/etc/os-release') ?? readIfThere('/usr/lib/os-release') ?? '',
): Distribution {
  const field = (name: string) => new RegExp(`^${name}=(["']?)(.*)\\1$`, 'm').exec(text)?.[2] ?? '';
  const words = [field('ID'), ...field('ID_LIKE').split(' ')];
  const is = (...names: string[]) => names.some((name) => words.includes(name));
  return {
    name: field('PRETTY_NAME') || field('ID') || 'an unknown distribution',
    family: is('debian', 'ubuntu') ? 'debian' : is('fedora', 'rhel', 'centos') ? 'fedora' : 'other',
  };
}

/** The command that installs a package, whose name may differ. */
export function installCommand(
  { family }: Distribution,
  { debian, fedora }: { readonly debian: string; readonly fedora: string },
): string {
  if (family === 'debian') return `apt-get install -y ${debian}`;
  if (family === 'fedora') return `dnf install -y ${fedora}`;
  return `install ${debian} (as Debian calls it) or ${fedora} (as Fedora does)`;
}
