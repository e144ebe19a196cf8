import { readSysctl } from '../../kernel/probe/kernel-file.ts';

const KINDS = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'];

/** The first of user.max_*_namespaces that forbids all namespaces of its kind (namespaces(7)). */
export function missingNamespaceLimit(
  read: (name: string) => string | undefined = readSysctl,
): string | undefined {
  return KINDS.map((kind) => `user.max_${kind}_namespaces`).find((name) => read(name) === '0');
}
