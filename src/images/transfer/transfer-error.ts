import { isMayflyError, MayflyError } from '../../support/error.ts';
import { formatReference, type Reference } from '../reference/parse.ts';

/** A pull, push, save or load that failed; the code is that of its cause. */
export class TransferError extends MayflyError {
  /** In full: `docker.io/library/postgres:17`. */
  readonly reference: string;
  /** Digest of the layer, or of the configuration, that it failed at; undefined when it was none of them. */
  readonly layer: string | undefined;

  constructor(
    verb: string,
    { reference, layer, cause }: { reference: string; layer?: string; cause: MayflyError },
  ) {
    const [why] = cause.message.split('\n  hint: ');
    const where = layer === undefined ? '' : ` at layer ${layer}`;
    super(cause.code, `cannot ${verb} ${reference}${where}: ${why}`, {
      cause,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
    this.reference = reference;
    this.layer = layer;
  }
}

/** Runs one part of a transfer, so that an error of it names the reference, and the layer if it is about one. */
export async function named<T>(
  { verb, reference, layer }: { verb: string; reference: Reference | string; layer?: string },
  part: () => Promise<T>,
): Promise<T> {
  try {
    return await part();
  } catch (cause) {
    if (!isMayflyError(cause) || cause instanceof TransferError) throw cause;
    const name = typeof reference === 'string' ? reference : formatReference(reference);
    throw new TransferError(verb, { reference: name, ...(layer === undefined ? {} : { layer }), cause });
  }
}
