import { readIfThere } from './kernel-file.ts';

/** Ids that a user may map into user namespaces of its own (subuid(5)). */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** The ranges of a user, who is written by name or by number, in /etc/subuid or /etc/subgid. */
export function subordinateIds(
  kind: 'subuid' | 'subgid',
  user: { readonly name: string; readonly uid: number },
  text = readIfThere(`/etc/${kind}`) ?? '',
): IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [owner, first, count] = line.split(':');
    if (owner !== user.name && owner !== String(user.uid)) return [];
    return [{ first: Number(first), count: Number(count) }];
  });
}
