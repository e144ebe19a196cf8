import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { ZodError, z } from '../../support/zod.ts';
import { writeDurably } from '../store/durable-file.ts';

const schema = lazy(() =>
  z.object({
    diffId: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)),
    size: z.int().check(z.gte(0)),
    /** Absent in what mayfly 0.1 wrote. */
    form: z.optional(z.enum(['packed', 'unpacked'])),
    implied: z.optional(z.readonly(z.array(z.string()))),
  }),
);

/**
 * What `layer.json` says of the tree next to it. `form`: whether packing the tree gives the tar that the diffID is of, or
 * whether only unpacking that tar again gives the tree.
 */
export type LayerRecord = Readonly<z.infer<ReturnType<typeof schema>>>;

/** The record of the layer in a directory; undefined where there is none. @throws MayflyError `layer.corrupt` */
export function readLayerRecord(directory: string): LayerRecord | undefined {
  const path = join(directory, 'layer.json');
  try {
    return schema().parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    if (!(cause instanceof ZodError || cause instanceof SyntaxError)) throw cause;
    throw new MayflyError('layer.corrupt', `${path} cannot be read, so nobody knows which layer it is`, {
      cause,
      hint: `remove ${directory}; the layer is unpacked again when it is needed`,
    });
  }
}

/** Once it has returned, the record is on the disk. */
export function writeLayerRecord(directory: string, record: LayerRecord): void {
  writeDurably(
    join(directory, 'layer.json'),
    JSON.stringify({ ...record, created: new Date().toISOString() }),
  );
}
