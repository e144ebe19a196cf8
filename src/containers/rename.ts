import { MayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';
import { writeRecord } from './container-record.ts';
import { claimName, NAME, releaseName } from './names.ts';
import { isPresent } from './sweep.ts';
import { tell } from './told/tell.ts';

/**
 * Gives a container another name, whether it runs or not.
 *
 * @throws MayflyError `option.invalid`, `container.name-taken`, also by itself
 */
export function renameContainer(parts: ContainerParts, name: string): void {
  const { home } = parts.engine;
  const { record } = parts;
  const { id } = record.spec;
  if (!NAME.test(name))
    throw new MayflyError('option.invalid', `not a name: ${JSON.stringify(name)}`, {
      hint: 'use 1 to 63 of a-z, A-Z, 0-9, "_", ".", "-"',
    });
  // The new name first: who is interrupted leaves a container with two, of which its record knows one.
  claimName(home, { name, id, isPresent: (holder) => isPresent(home, holder) });
  parts.record = { ...record, name, options: { ...record.options, name } };
  writeRecord(home, parts.record);
  releaseName(home, { name: record.name, id });
  tell(parts, { action: 'rename', attributes: { oldName: `/${record.name}` } });
}
