import { MayflyError } from '../../support/error.ts';

/** The error for a full disk when that is what is underneath, in whatever clothes it comes. */
export function noSpace(error: unknown): MayflyError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'layer.no-space') return cause as MayflyError;
    if (code !== 'ENOSPC' && code !== 'EDQUOT' && !/\b(ENOSPC|EDQUOT)\b/.test(cause.message)) continue;
    return new MayflyError('layer.no-space', 'the disk is full, so the layer could not be made', {
      cause: error,
      hint: 'free some space on the file system of MAYFLY_HOME (/var/lib/mayfly by default)',
    });
  }
  return undefined;
}

/** The error for a tar that mayfly will not unpack. */
export function refused(why: string, cause?: unknown): MayflyError {
  return new MayflyError('layer.refused', `the layer is not unpacked: ${why}`, {
    cause,
    hint: 'make the archive anew with a tool that you trust',
  });
}
