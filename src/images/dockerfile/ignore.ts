import { createRequire } from 'node:module';

// Its declarations say that it is an ES module, which it is not.
const dockerignore = createRequire(import.meta.url)(
  '@balena/dockerignore',
) as typeof import('@balena/dockerignore').default;

/** True for a path, relative to the context and with slashes, that is not part of the context. */
export type IgnoreFilter = (path: string) => boolean;

/** What the text of a `.dockerignore` leaves out: patterns of Go's filepath.Match with `**` and `!`, as Docker has them. */
export function parseIgnore(text: string): IgnoreFilter {
  const patterns = dockerignore({ ignorecase: false }).add(text);
  return (file) => patterns.ignores(file);
}
