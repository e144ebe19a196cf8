import { posix } from 'node:path';
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
      readonly readOnly: boolean;
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
  /** A here-document that names its own interpreter: it is the file that `argv` executes. */
  readonly script: Heredoc | undefined;
  readonly mounts: readonly RunMount[];
  readonly network: 'default' | 'none' | 'host';
}

const NETWORKS = ['default', 'none', 'host'] as const;
/** A here-document and nothing else. */
const ALONE = /^\d*<<-?("[^"]*"|'[^']*'|[^"'\s]+)$/;
const DEFAULT_CACHE_MODE = 0o755;
const DEFAULT_SECRET_MODE = 0o400;

/** @throws DockerfileError `build.syntax`, `build.unsupported` */
export function resolveRun(
  instruction: Instruction,
  { config, scope, allow }: { config: ImageConfig; scope: Scope; allow: readonly string[] },
): RunStep {
  const { flags, args, heredocs, place } = instruction;
  const mounts: RunMount[] = [];
  let network = 'default' as RunStep['network'];
  for (const { name, value } of flags) {
    if (name === 'mount') mounts.push(readMount(expandWord(value, scope), { place, config }));
    else if (name === 'network' && (NETWORKS as readonly string[]).includes(value))
      network = value as RunStep['network'];
    else if (name === 'security' && value === 'sandbox') continue;
    else throw unsupported(`RUN cannot do --${name}=${value}`, place);
  }
  if (network === 'host' && !allow.includes('network.host')) {
    throw new DockerfileError('build.not-allowed', "RUN --network=host takes the caller's leave", {
      place,
      hint: "give it as allow: ['network.host'], or --allow network.host",
    });
  }
  const alone = heredocs.length === 1 && ALONE.test(args) ? heredocs[0] : undefined;
  const script = alone?.content.startsWith('#!') ? alone : undefined;
  const argv =
    script !== undefined
      ? [scriptPath(script)]
      : commandOf(alone?.content ?? withBodies(args, heredocs), config);
  return { argv, script, mounts, network };
}

/** Where BuildKit has it, so that messages are the same. */
export function scriptPath({ name }: Heredoc): string {
  return `/dev/pipes/${name}`;
}

/** The shell feeds a here-document to the command before it. The tabs that <<- takes away are gone already. */
function withBodies(args: string, heredocs: readonly Heredoc[]): string {
  return [args, ...heredocs.map(({ name, content }) => `${content}${name}`)].join('\n');
}

function readMount(text: string, { place, config }: { place: Place; config: ImageConfig }): RunMount {
  const fields = new Map(
    text.split(',').map((field) => {
      const at = field.indexOf('=');
      return at < 0 ? [field, 'true'] : [field.slice(0, at), field.slice(at + 1)];
    }),
  );
  const type = take(fields, 'type') ?? 'bind';
  const given = take(fields, 'target', 'dst', 'destination');
  const target = given && posix.resolve(config.WorkingDir || '/', given);
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
    uid: numberOf(fields, { name: 'uid', byDefault: 0, place }),
    gid: numberOf(fields, { name: 'gid', byDefault: 0, place }),
  });
  const mode = (byDefault: number) => numberOf(fields, { name: 'mode', byDefault, place, base: 8 });
  if (type === 'secret') {
    const id = take(fields, 'id') ?? target?.split('/').at(-1);
    if (id === undefined)
      throw new DockerfileError('build.syntax', 'a secret needs an id or a target', { place });
    const env = take(fields, 'env');
    const required = take(fields, 'required') === 'true';
    return { type, id, target, env, required, mode: mode(DEFAULT_SECRET_MODE), ...owner() };
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
      mode: mode(DEFAULT_CACHE_MODE),
      readOnly: isReadOnly(fields),
      ...owner(),
    };
  }
  if (type !== 'bind') throw unsupported(`no mount is of the type ${type}`, place);
  const writable = [take(fields, 'rw'), take(fields, 'readwrite')].includes('true');
  isReadOnly(fields);
  return {
    type,
    target,
    from: take(fields, 'from'),
    source: take(fields, 'source', 'src') ?? '/',
    readOnly: !writable,
  };
}

const isReadOnly = (fields: Map<string, string>) =>
  ['ro', 'readonly'].map((name) => take(fields, name)).includes('true');

function numberOf(
  fields: Map<string, string>,
  { name, byDefault, place, base = 10 }: { name: string; byDefault: number; place: Place; base?: 8 | 10 },
): number {
  const text = take(fields, name);
  if (text === undefined) return byDefault;
  const digits = base === 8 ? /^[0-7]{1,5}$/ : /^\d{1,10}$/;
  if (digits.test(text)) return Number.parseInt(text, base);
  throw new DockerfileError('build.syntax', `not a number: ${name}=${text}`, { place });
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
