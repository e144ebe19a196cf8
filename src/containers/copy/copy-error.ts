import { FileError, type FileFailure } from '../../files/file-error.ts';
import { MayflyError } from '../../support/error.ts';

const HINTS: Partial<Readonly<Record<FileFailure, string>>> = {
  'no-such-path': 'check the spelling; to copy text instead of a file, pass { content }',
  'not-a-directory': 'remove what is there first, or choose another path',
  'is-a-directory': 'name the file inside of the directory, or take the whole directory with to() or tar()',
  'read-only': 'copy to a writable mount',
  'no-space': 'free some space, or give the mount a larger size',
  'unsupported-compression': 'decompress the archive first, or use gzip or zstd',
};

/** What failed file work means for a copy, under `copy.`; any other error stays as it is. */
export function copyError(error: unknown, what: string): unknown {
  if (!(error instanceof FileError)) return error;
  const hint = HINTS[error.reason];
  return new MayflyError(`copy.${error.reason}`, `${what} failed: ${error.message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
