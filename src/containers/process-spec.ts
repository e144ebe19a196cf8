import type { LayerTree } from '../images/layers/layer.ts';
import type { ImageConfig } from '../images/store/image.ts';
import { readInRoot } from '../kernel/mounts/read-in-root.ts';
import type { ProcessSpec, TerminalSize } from '../runtime/spec/container-spec.ts';
import type { PrivilegeSpec } from '../runtime/spec/privilege-spec.ts';
import { type ResolvedUser, resolveUser, type UserDatabase } from '../runtime/spec/user.ts';
import type { ContainerOptions } from './container-options.ts';
import type { Engine } from './engine.ts';

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** As many as anybody needs; a test runner's own soft limit may be as low as 1024. */
const MAX_OPEN_FILES = 1_048_576;

export interface ProcessRequest {
  readonly argv: readonly string[];
  /** Lists of `NAME=value`, later ones win. */
  readonly env: readonly (readonly string[])[];
  readonly cwd: string;
  readonly user: string;
  /** Groups beside those that the user is in. */
  readonly groups?: readonly string[] | undefined;
  readonly hostname: string;
  readonly privileges: PrivilegeSpec;
  readonly terminal: TerminalSize | undefined;
  /** Directories in which passwd and group are looked for, first hit wins: layers from the top, or a running rootfs. */
  readonly roots: readonly string[];
}

/** Resolves what a process runs as, the same way for a start and an exec. */
export function resolveProcess(engine: Engine, request: ProcessRequest): ProcessSpec {
  const user = resolveUser(userDatabase(request.roots), request.user, request.groups);
  const { capabilities, seccomp, noNewPrivileges, ulimits } = request.privileges;
  const hard = engine.openFilesLimit;
  return {
    argv: request.argv,
    env: mergeEnv([ownEnv(request, user), ...request.env]),
    cwd: request.cwd,
    user: ids(user),
    capabilities,
    seccomp: engine.filters.filter(seccomp, capabilities),
    noNewPrivileges,
    ulimits,
    openFiles: [Math.min(MAX_OPEN_FILES, hard), hard],
    terminal: request.terminal,
  };
}

/** What every process gets, unless something else is asked for. TERM is Docker's. */
function ownEnv({ hostname, terminal }: ProcessRequest, { home }: ResolvedUser): string[] {
  const term = terminal === undefined ? [] : ['TERM=xterm'];
  return [DEFAULT_PATH, `HOSTNAME=${hostname}`, ...term, `HOME=${home}`];
}

/** `NAME=value` entries. */
export function envEntries(env: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

/** The image's environment and the options', which every process of a container gets. */
export function configuredEnv({ env }: Pick<ContainerOptions, 'env'>, config: ImageConfig): string[][] {
  return [[...(config.Env ?? [])], envEntries(env)];
}

function ids({ uid, gid, groups }: ResolvedUser): ProcessSpec['user'] {
  return { uid, gid, groups };
}

/** The ids of `user[:group]` in a stack of layers. @throws MayflyError `option.unknown-user` */
export function resolveIds(layers: readonly LayerTree[], user: string): ProcessSpec['user'] {
  return ids(resolveUser(userDatabase(layers.map(({ directory }) => directory).toReversed()), user));
}

function userDatabase(roots: readonly string[]): UserDatabase {
  const find = (path: string) => {
    for (const root of roots) {
      const text = readInRoot(root, path);
      if (text !== undefined) return text;
    }
    return undefined;
  };
  return { passwd: find('etc/passwd'), group: find('etc/group') };
}

/** One entry a name, the last one's value in the first one's place. */
function mergeEnv(lists: readonly (readonly string[])[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of lists.flat()) merged.set(entry.slice(0, entry.indexOf('=')), entry);
  return [...merged.values()];
}
