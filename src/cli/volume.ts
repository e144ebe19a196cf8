import { resolve } from 'node:path';
import type { MountOption } from '../containers/container-options.ts';
import { UsageError } from './usage-error.ts';

/** `-v SOURCE:TARGET[:ro]`. @throws UsageError for volumes by name, which there are none of */
export function parseVolume(text: string): MountOption {
  const [source, target, mode = 'rw', ...more] = text.split(':');
  if (!source || !target || more.length > 0 || !['ro', 'rw'].includes(mode))
    throw new UsageError(`not a volume: ${text}`, 'write SOURCE:TARGET or SOURCE:TARGET:ro');
  if (!/^(\/|\.{1,2}(\/|$))/.test(source)) {
    throw new UsageError(
      `${source} is not a path`,
      'volumes have no names here: write the path of a directory, such as ./data',
    );
  }
  return { type: 'bind', source: resolve(source), target, readOnly: mode === 'ro' };
}

/** `--tmpfs TARGET[:size=64m,mode=1777]`. @throws UsageError */
export function parseTmpfs(text: string): MountOption {
  const [target, options = ''] = text.split(':');
  const values = new Map(
    options
      .split(',')
      .filter(Boolean)
      .map((option) => option.split('=') as [string, string]),
  );
  for (const name of values.keys()) {
    if (name !== 'size' && name !== 'mode')
      throw new UsageError(`not an option of a tmpfs: ${name}`, 'there are: size, mode');
  }
  const [size, mode] = [values.get('size'), values.get('mode')];
  return {
    type: 'tmpfs',
    target: target!,
    ...(size === undefined ? {} : { size }),
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
  };
}
