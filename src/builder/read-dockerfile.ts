import { statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { type IgnoreFilter, parseIgnore } from '../images/dockerfile/ignore.ts';
import { readInRoot } from '../kernel/mounts/read-in-root.ts';
import { MayflyError } from '../support/error.ts';
import type { BuildOptions } from './build-options.ts';

/** A Dockerfile and what it is called in messages. */
export interface DockerfileText {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/**
 * Reads the Dockerfile of a build. One that the context holds is read inside of it, so that a link leads nowhere else; one that lies
 * elsewhere has to be given by an absolute path.
 *
 * @throws MayflyError `build.no-context`, `build.no-dockerfile`, `build.outside-context`
 */
export function readDockerfile({ context, dockerfile = 'Dockerfile' }: BuildOptions): DockerfileText {
  if (statSync(context, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new MayflyError('build.no-context', `the context ${context} is no directory`);
  const path = isAbsolute(dockerfile) ? dockerfile : join(context, dockerfile);
  if (isOutside(context, path) && !isAbsolute(dockerfile)) {
    throw new MayflyError('build.outside-context', `the Dockerfile ${dockerfile} is not in the context`, {
      hint: 'give an absolute path to take one from elsewhere',
    });
  }
  const text = readText(context, path);
  if (text !== undefined) return { name: basename(path), path, text };
  throw new MayflyError('build.no-dockerfile', `there is no Dockerfile at ${path}`, {
    hint: 'give its path as dockerfile; a link in the context leads nowhere outside of it',
  });
}

/** The `.dockerignore` of a Dockerfile: `<its path>.dockerignore` if there is one, else the one at the top of the context. */
export function readIgnore(context: string, dockerfile: string): IgnoreFilter {
  const text =
    readText(context, `${dockerfile}.dockerignore`) ?? readText(context, join(context, '.dockerignore'));
  return text === undefined ? () => false : parseIgnore(text);
}

/** A file of the context, or one beside it; undefined where there is none. */
function readText(context: string, path: string): string | undefined {
  const root = isOutside(context, path) ? dirname(path) : context;
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  return readInRoot(root, relative(root, path));
}

function isOutside(context: string, path: string): boolean {
  const inside = relative(context, path);
  return inside === '..' || inside.startsWith('../');
}
