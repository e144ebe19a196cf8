import { parseByteSize } from '../../support/byte-size.ts';
import type { ImageConfig } from '../store/image.ts';
import { commandOf } from './config-changes.ts';
import { DockerfileError, type Place } from './dockerfile-error.ts';
import { expandWord, type Scope } from './expand.ts';
import type { Heredoc, Instruction } from './parse.ts';

/** One `--mount` of a RUN. */
export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      /** A stage or an image; undefined for the context. */
      readonly from: string | undefined;
      readonly source: string;
      readonly readOnly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size: number | undefined }
  | {
      readonly type: 'secret';
      readonly id: string;
      readonly target: string | undefined;
      readonly env: string | undefined;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** A RUN, ready for a container. */
export interface RunStep {
  readonly argv: readonly string[];
  readonly mounts: readonly RunMount[];
  readonly network: 'default' | 'none' | 'host';
}

const NETWORKS = ['default', 'none', 'host'] as const;
const DEFAULT_CACHE_MODE = 0o755;
const DEFAULT_SECRET_MODE = 0o400;

/** @throws DockerfileError `build.syntax`, `build.unsupported` */
export function resolveRun(
  instruction: Instruction,
  { config, scope }: { config: ImageConfig; scope: Scope },
): RunStep {
  const { flags, args, heredocs, place } = instruction;
  const mounts: RunMount[] = [];
  let network: RunStep['network'] = 'default';
  for (const { name, value } of flags) {
    if (name === 'mount') mounts.push(readMount(expandWord(value, scope), place));
    else if (name === 'network' && (NETWORKS as readonly string[]).includes(value))
      network = value as typeof network;
    else if (name === 'security' && value === 'sandbox') continue;
    else throw unsupported(`RUN cannot do --${name}=${value}`, place);
  }
  const argv = heredocs.length === 0 ? commandOf(args, config) : commandOf(scriptOf(args, heredocs), config);
  return { argv, mounts, network };
}

/** A lone here-document is the script itself; with a command before it the shell feeds it to that. */
function scriptOf(args: string, heredocs: readonly Heredoc[]): string {
  const alone = /^<<-?(["']?)([^"'\s]+)\1$/.exec(args.trim());
  if (alone !== null && heredocs.length === 1) return heredocs[0]!.content;
  const bodies = heredocs.map(({ name, content }) => `${content}${name}\n`).join('');
  // The tabs that <<- takes away are gone already, which makes no difference to the shell.
  return `${args}\n${bodies}`;
}

function readMount(text: string, place: Place): RunMount {
  const fields = new Map(
    text.split(',').map((field) => {
      const at = field.indexOf('=');
      return at < 0 ? [field, 'true'] : [field.slice(0, at), field.slice(at + 1)];
    }),
  );
  const type = take(fields, 'type') ?? 'bind';
  const target = take(fields, 'target', 'dst', 'destination');
  const mount = mountOf(type, { fields, target, place });
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw unsupported(`a mount of type ${type} has no option ${unknown}`, place);
  return mount;
}

interface MountText {
  readonly fields: Map<string, string>;
  readonly target: string | undefined;
  readonly place: Place;
}

function mountOf(type: string, { fields, target, place }: MountText): RunMount {
  const owner = () => ({
    uid: Number(take(fields, 'uid') ?? 0),
    gid: Number(take(fields, 'gid') ?? 0),
  });
  if (type === 'secret') {
    const id = take(fields, 'id') ?? target?.split('/').at(-1);
    if (id === undefined)
      throw new DockerfileError('build.syntax', 'a secret needs an id or a target', { place });
    const env = take(fields, 'env');
    const required = take(fields, 'required') === 'true';
    return { type, id, target, env, required, mode: modeOf(fields, DEFAULT_SECRET_MODE), ...owner() };
  }
  if (target === undefined)
    throw new DockerfileError('build.syntax', `a mount of type ${type} needs a target`, { place });
  if (type === 'tmpfs') {
    const size = take(fields, 'size');
    return { type, target, size: size === undefined ? undefined : parseByteSize(size) };
  }
  if (type === 'cache') {
    const sharing = (take(fields, 'sharing') ?? 'shared') as 'shared';
    if (!['shared', 'private', 'locked'].includes(sharing))
      throw unsupported(`no sharing is called ${sharing}`, place);
    return {
      type,
      target,
      id: take(fields, 'id') ?? target,
      sharing,
      mode: modeOf(fields, DEFAULT_CACHE_MODE),
      ...owner(),
    };
  }
  if (type !== 'bind') throw unsupported(`no mount is of the type ${type}`, place);
  const writable = [take(fields, 'rw'), take(fields, 'readwrite')].includes('true');
  for (const name of ['ro', 'readonly']) take(fields, name);
  return {
    type,
    target,
    from: take(fields, 'from'),
    source: take(fields, 'source', 'src') ?? '/',
    readOnly: !writable,
  };
}

function modeOf(fields: Map<string, string>, byDefault: number): number {
  const mode = take(fields, 'mode');
  return mode === undefined ? byDefault : Number.parseInt(mode, 8);
}

/** Takes a field out, so that what is left at the end is what nobody knows. */
function take(fields: Map<string, string>, ...names: string[]): string | undefined {
  let value: string | undefined;
  for (const name of names) {
    value ??= fields.get(name);
    fields.delete(name);
  }
  return value;
}

function unsupported(what: string, place: Place): DockerfileError {
  return new DockerfileError('build.unsupported', what, { place });
}
