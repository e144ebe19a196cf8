import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import type { IgnoreFilter } from '../images/dockerfile/ignore.ts';
import { isPattern, parsePattern } from '../images/dockerfile/pattern.ts';
import { openContextFile } from './context-file.ts';

/** One file, directory or link below a build's context. */
export interface ContextEntry {
  /** Relative to the context, with slashes; empty for the context itself. */
  readonly path: string;
  readonly stat: Stats;
  /** Where a symbolic link points. */
  readonly link: string | undefined;
}

/** An entry under the name by which a source of COPY named it, which may be that of a link to it. */
export interface MatchedEntry {
  readonly name: string;
  readonly entry: ContextEntry;
}

const MOST_LINKS = 40;

/** What the context holds, by path; links are never followed out of it, because they are resolved here, by name. */
export class ContextIndex {
  readonly #root: string;
  readonly #entries = new Map<string, ContextEntry>();
  readonly #children = new Map<string, string[]>();

  constructor(root: string, ignored: IgnoreFilter) {
    this.#root = root;
    this.#add('', ignored);
  }

  /** What a source of COPY names, sorted; empty when there is nothing. A link at the end is followed, as Docker does. */
  match(pattern: string): MatchedEntry[] {
    const wanted = normalise(pattern);
    const paths = isPattern(wanted) ? this.#matching(wanted) : [wanted];
    return paths.flatMap((path) => {
      const entry = this.resolve(path);
      return entry === undefined ? [] : [{ name: posix.basename(path), entry }];
    });
  }

  #matching(pattern: string): string[] {
    const matches = parsePattern(pattern, { globstar: false });
    return [...this.#entries.keys()].filter((path) => path !== '' && matches(path)).sort();
  }

  /** An entry and all below it, parents first. */
  tree(entry: ContextEntry): ContextEntry[] {
    const below = (this.#children.get(entry.path) ?? []).flatMap((path) =>
      this.tree(this.#entries.get(path)!),
    );
    return [entry, ...below];
  }

  /** Opens a file for reading; node:fs is to close it. @throws MayflyError `build.context-changed` */
  open({ path }: ContextEntry): number {
    return openContextFile(this.#root, path);
  }

  /** Follows links within the context, which is their root. */
  resolve(path: string): ContextEntry | undefined {
    const rest = path.split('/').filter(Boolean);
    let at = '';
    let links = 0;
    while (rest.length > 0) {
      const part = rest.shift()!;
      if (part === '.') continue;
      if (part === '..') {
        at = posix.dirname(at) === '.' ? '' : posix.dirname(at);
        continue;
      }
      const next = at === '' ? part : `${at}/${part}`;
      const entry = this.#entries.get(next);
      if (entry === undefined) return undefined;
      if (entry.link === undefined) {
        at = next;
        continue;
      }
      links += 1;
      if (links > MOST_LINKS) return undefined;
      if (entry.link.startsWith('/')) at = '';
      rest.unshift(...entry.link.split('/').filter(Boolean));
    }
    return this.#entries.get(at);
  }

  /** A directory that is ignored is still looked into: a pattern with an exclamation mark may bring back what is in it. */
  #add(path: string, ignored: IgnoreFilter): boolean {
    const full = join(this.#root, path);
    const stat = lstatSync(full);
    const entry = { path, stat, link: stat.isSymbolicLink() ? readlinkSync(full) : undefined };
    const children: string[] = [];
    if (stat.isDirectory()) {
      for (const name of readdirSync(full).sort()) {
        const child = path === '' ? name : `${path}/${name}`;
        if (this.#add(child, ignored)) children.push(child);
      }
    }
    if (path !== '' && children.length === 0 && ignored(path)) return false;
    this.#entries.set(path, entry);
    this.#children.set(path, children);
    return true;
  }
}

function normalise(pattern: string): string {
  const path = posix.normalize(`/${pattern}`).replace(/^\/+|\/+$/g, '');
  return path === '.' ? '' : path;
}
