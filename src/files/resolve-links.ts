import { refuse } from './file-error.ts';
import { shown } from './tar/entry.ts';

/** As many links as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Where a path leads in a tree whose top is a root: links are followed, also the last one, and `..` does not leave it.
 *
 * @param path `./var/run`
 * @param linkAt the target of the link at a path without links; undefined for what is no link, or nothing
 * @returns a path without links, as far as there is something
 * @throws FileError `file.refused` for a loop
 */
export function resolveLinks(path: string, linkAt: (path: string) => string | undefined): string {
  const ahead = path.split('/').toReversed();
  let here: string[] = ['.'];
  let links = 0;
  for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      here = here.slice(0, Math.max(1, here.length - 1));
      continue;
    }
    const next = [...here, part];
    const target = linkAt(next.join('/'));
    if (target === undefined) {
      here = next;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw refuse(`${shown(path)} leads through a loop of links (ELOOP)`);
    if (target.startsWith('/')) here = ['.'];
    ahead.push(...target.split('/').toReversed());
  }
  return here.join('/');
}
