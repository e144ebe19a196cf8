import type { ImageStore } from './image-store.ts';
import { PACKED_FROM, REF_NAME } from './index-file.ts';
import { type StoreProblem, unlessDamaged } from './problem.ts';
import type { StoredImage } from './stored-image.ts';

/**
 * Every image once per name, and once if it has none. What cannot be read is reported and left out, since one damaged image is
 * no reason to see none.
 */
export function listStored(
  { index, packed, local, paths }: Pick<ImageStore, 'index' | 'packed' | 'local' | 'paths'>,
  report: (problem: StoreProblem) => void = () => {},
): StoredImage[] {
  const entries = unlessDamaged(paths.index, () => index.read(), report);
  for (const { what, why } of entries === undefined ? [] : index.unreadable())
    report({ what, code: 'image.corrupt', why });
  const fromEntries = (entries ?? []).flatMap((entry) => {
    if (entry.annotations?.[PACKED_FROM] !== undefined) return [];
    return (
      unlessDamaged(entry.annotations?.[REF_NAME] ?? entry.digest, () => packed.open(entry), report) ?? []
    );
  });
  const named = local.names().flatMap((name) => unlessDamaged(name, () => local.find(name), report) ?? []);
  const all = [...fromEntries, ...named];
  const ids = new Set(all.map(({ id }) => id));
  const unnamed = local
    .ids()
    .flatMap((id) => (ids.has(id) ? [] : (unlessDamaged(id, () => local.open(id), report) ?? [])));
  return [...all, ...unnamed];
}
