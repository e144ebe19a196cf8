import { MayflyError } from '../../support/error.ts';
import { noSpace } from '../layers/layer-error.ts';

/** The error for a full disk when that is what is underneath; the error itself otherwise. */
export function fullDisk(cause: unknown): unknown {
  if (noSpace(cause) === undefined) return cause;
  return new MayflyError('image.no-space', 'the disk is full, so the image could not be kept', {
    cause,
    hint: 'free some space on the file system of MAYFLY_HOME (/var/lib/mayfly by default), for example with pruneImages()',
  });
}
