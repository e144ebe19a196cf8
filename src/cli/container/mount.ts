import { resolve } from 'node:path';
import type { MountOption } from '../../containers/container-options.ts';
import { UsageError } from '../usage-error.ts';

const NAMES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};
const KNOWN = {
  bind: ['type', 'source', 'target', 'readonly', 'bind-propagation'],
  tmpfs: ['type', 'target', 'tmpfs-size', 'tmpfs-mode'],
} as const;

/** `--mount type=bind,source=/data,target=/data,readonly`, `--mount type=tmpfs,target=/tmp,tmpfs-size=64m`. @throws UsageError */
export function parseMount(text: string): MountOption {
  const fields = new Map(
    text.split(',').map((field): [string, string] => {
      const [name = '', ...value] = field.split('=');
      return [NAMES[name] ?? name, value.length === 0 ? 'true' : value.join('=')];
    }),
  );
  const type = fields.get('type') ?? 'volume';
  if (type !== 'bind' && type !== 'tmpfs')
    throw new UsageError(
      `cannot mount type=${type}`,
      'there are: type=bind with a path of the host, type=tmpfs',
    );
  for (const name of fields.keys()) {
    if (!(KNOWN[type] as readonly string[]).includes(name))
      throw new UsageError(`not a field of type=${type}: ${name}`, `there are: ${KNOWN[type].join(', ')}`);
  }
  const target = fields.get('target');
  if (!target) throw new UsageError(`a mount without a target: ${text}`, 'write target=PATH');
  return type === 'bind' ? bindOf(fields, target) : tmpfsOf(fields, target);
}

function bindOf(fields: ReadonlyMap<string, string>, target: string): MountOption {
  const source = fields.get('source');
  if (!source) throw new UsageError('a bind mount without a source', 'write source=PATH');
  if (!['rprivate', undefined].includes(fields.get('bind-propagation')))
    throw new UsageError('mounts are private to the container', 'leave bind-propagation out');
  return {
    type: 'bind',
    source: resolve(source),
    target,
    readOnly: ['true', '1'].includes(fields.get('readonly') ?? ''),
  };
}

function tmpfsOf(fields: ReadonlyMap<string, string>, target: string): MountOption {
  const [size, mode] = [fields.get('tmpfs-size'), fields.get('tmpfs-mode')];
  return {
    type: 'tmpfs',
    target,
    ...(size === undefined ? {} : { size: /^\d+$/.test(size) ? Number(size) : size }),
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
  };
}
