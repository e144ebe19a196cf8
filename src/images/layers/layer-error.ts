import { FileError } from '../../files/file-error.ts';
import { type ErrorCode, MayflyError } from '../../support/error.ts';

/** The error for a full disk when that is what is underneath, in whatever clothes it comes. */
export function noSpace(error: unknown): MayflyError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: ErrorCode | 'ENOSPC' | 'EDQUOT' };
    if (code === 'layer.no-space') return cause as MayflyError;
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'file.no-space') continue;
    return new MayflyError('layer.no-space', 'the disk is full, so the layer could not be made', {
      cause: error,
      hint: 'free some space on the file system of MAYFLY_HOME (/var/lib/mayfly by default)',
    });
  }
  return undefined;
}

/** What failed file work means for a layer; any other error stays as it is. */
export function layerError(error: unknown): unknown {
  const full = noSpace(error);
  if (full !== undefined || !(error instanceof FileError)) return full ?? error;
  if (error.reason === 'unsupported-compression')
    return new MayflyError('layer.unsupported-compression', error.message, {
      cause: error,
      hint: 'install the program, decompress it first, or use gzip or zstd',
    });
  if (error.reason === 'failed')
    return new MayflyError('layer.failed', `the layer could not be made: ${error.message}`, { cause: error });
  return new MayflyError('layer.refused', `the layer is not unpacked: ${error.message}`, {
    cause: error,
    hint: 'make the archive anew with a tool that you trust',
  });
}
