import { Readable } from 'node:stream';
import { packContent, packHost, type TopTar } from '../../files/pack-host.ts';
import { runFileWorker } from '../../files/run-worker.ts';
import { MayflyError } from '../../support/error.ts';
import { copyError } from './copy-error.ts';
import { type CopyTarget, checkPath, withRoot } from './copy-target.ts';

/**
 * What is copied into a container.
 *
 * - a path of a file or directory on the host, relative to this process. As `docker cp` has it, it becomes the path in the
 *   container, or goes into it under its own name when that is a directory; what `some/directory/.` holds goes into it.
 *   A link at its end is followed; links inside stay links.
 * - `content`: the content of a file; text is written as UTF-8.
 * - `tar`: an archive, plain or compressed with gzip or zstd, whose entries go below the path in the container.
 */
export type CopySource =
  | string
  | { readonly content: string | Uint8Array }
  | { readonly tar: Readable | Uint8Array };

export interface CopyToOptions {
  /** Permission bits of the files; directories keep theirs. Default: those of the source; `0o644` for `content`. */
  readonly mode?: number;
  /** Numbers as the container has them; `keep`: those of the source. Default: `keep` for `tar`, else root. */
  readonly owner?: { readonly uid: number; readonly gid: number } | 'keep';
  /** Ends the copy; its reason is thrown. */
  readonly signal?: AbortSignal;
}

const ROOT = { uid: 0, gid: 0 };

/**
 * Copies into a running container, into its volumes and temporary mounts too. Directories that are missing on the way are
 * made; those that are there stay as they are. Links in the container lead where they lead for its processes, never out of
 * it. A copy that fails may have done a part.
 *
 * @throws MayflyError `copy.no-such-path`, `copy.not-a-directory`, `copy.is-a-directory`, `copy.read-only`,
 *   `copy.no-space`, `copy.refused` (a path below /proc or /sys, a mount in the way, an archive that is none),
 *   `option.invalid`, `container.exited`
 */
export async function copyTo(
  target: CopyTarget,
  { path, source, ...options }: CopyToOptions & { readonly path: string; readonly source: CopySource },
): Promise<void> {
  checkPath(path);
  const { mode, signal } = options;
  if (mode !== undefined && (!Number.isInteger(mode) || mode < 0 || mode > 0o7777))
    throw new MayflyError('option.invalid', `mode has to be between 0 and 0o7777, not ${mode}`);
  const owner = options.owner ?? (isTar(source) ? 'keep' : ROOT);
  try {
    const { tar, shape, name } = packed(source);
    await withRoot(target, (root) =>
      runFileWorker(
        {
          operation: 'copy-in',
          path,
          shape,
          name,
          trusted: true,
          mode,
          owner: owner === 'keep' ? undefined : owner,
        },
        { root, input: tar, signal, launcher: target.launcher },
      ),
    );
  } catch (error) {
    throw copyError(error, `copying to ${path} of ${target.name}`);
  }
}

function isTar(source: CopySource): source is { readonly tar: Readable | Uint8Array } {
  return typeof source === 'object' && 'tar' in source;
}

function packed(source: CopySource): TopTar {
  if (typeof source === 'string') return packHost(source);
  if (isTar(source)) {
    const tar = source.tar instanceof Uint8Array ? Readable.from([source.tar]) : source.tar;
    return { tar, shape: 'contents' };
  }
  return packContent(typeof source.content === 'string' ? Buffer.from(source.content) : source.content);
}
