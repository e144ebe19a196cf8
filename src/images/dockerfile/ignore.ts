import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// Its declarations say that it is an ES module, which it is not.
const dockerignore = createRequire(import.meta.url)(
  '@balena/dockerignore',
) as typeof import('@balena/dockerignore').default;

/** True for a path, relative to the context and with slashes, that is not part of the context. */
export type IgnoreFilter = (path: string) => boolean;

/**
 * The `.dockerignore` that belongs to a Dockerfile: `<its path>.dockerignore` if there is one, else the one at the top of the context.
 *
 * Patterns are those of Go's filepath.Match with `**` and `!`, as Docker has them.
 */
export function readIgnoreFile(context: string, dockerfile: string): IgnoreFilter {
  const path = [`${dockerfile}.dockerignore`, join(context, '.dockerignore')].find((file) =>
    existsSync(file),
  );
  if (path === undefined) return () => false;
  const patterns = dockerignore({ ignorecase: false }).add(readFileSync(path, 'utf8'));
  return (file) => patterns.ignores(file);
}
