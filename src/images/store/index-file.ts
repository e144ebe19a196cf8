import { readFileSync } from 'node:fs';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { type LockOptions, withFileLock } from '../../kernel/processes/file-lock.ts';
import { MayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { type Descriptor, descriptorSchema } from '../manifest/descriptor.ts';
import { MEDIA_TYPES } from '../manifest/media-types.ts';
import { writeDurably } from './durable-file.ts';
import type { StorePaths } from './layout.ts';

/** The annotation that holds an image's name (image-spec, annotations.md); skopeo reads and writes it too. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** The digest that the registry has for the name: of an index, where the image was one of several. */
export const REGISTRY_DIGEST = 'dev.mayfly.registry-digest';

/** Id of the image here whose blobs an entry without a name holds; they were made to be pushed or saved. */
export const PACKED_FROM = 'dev.mayfly.packed-from';

const schema = lazy(() => z.object({ schemaVersion: z.literal(2), manifests: z.array(z.unknown()) }));

/** An entry that is no descriptor. */
export interface UnreadableEntry {
  /** Its digest, if it has something of the kind, or where it stands. */
  readonly what: string;
  readonly why: string;
}

/** `index.json` of the OCI layout: what images there are, each a descriptor with its name. */
export interface IndexFile {
  /** Those that can be read. @throws MayflyError `image.corrupt` when the file as a whole cannot */
  read(): readonly Descriptor[];
  /** The others, which stay in the file until somebody removes them. @throws MayflyError `image.corrupt` */
  unreadable(): readonly UnreadableEntry[];
  /** Replaces the list by what `change` makes of it; changes at the same time follow each other. */
  update(
    change: (entries: readonly Descriptor[]) => readonly Descriptor[],
    options?: LockOptions,
  ): Promise<void>;
}

export function openIndexFile({ index: path, indexLock }: StorePaths): IndexFile {
  function readAll(): readonly unknown[] {
    try {
      return schema().parse(JSON.parse(readFileSync(path, 'utf8'))).manifests;
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return [];
      throw new MayflyError('image.corrupt', `the list of images in ${path} cannot be read`, {
        cause,
        hint: 'remove the file; images that are not in it have to be pulled again',
      });
    }
  }
  const read = () => readAll().flatMap((entry) => descriptorSchema().safeParse(entry).data ?? []);
  return {
    read,
    unreadable: () =>
      readAll().flatMap((entry, position) => {
        const { error } = descriptorSchema().safeParse(entry);
        return error === undefined ? [] : [unreadable(entry, position, error)];
      }),
    update: (change, options) =>
      withFileLock(
        indexLock,
        async () => {
          const all = readAll();
          const others = all.filter((entry) => !descriptorSchema().safeParse(entry).success);
          const before = read();
          const after = change(before);
          if (JSON.stringify(after) === JSON.stringify(before)) return;
          writeDurably(
            path,
            JSON.stringify({
              schemaVersion: 2,
              mediaType: MEDIA_TYPES.index,
              manifests: [...after, ...others],
            }),
          );
        },
        options,
      ),
  };
}

function unreadable(entry: unknown, position: number, error: z.core.$ZodError): UnreadableEntry {
  const { digest } = (entry ?? {}) as { digest?: unknown };
  return {
    what: typeof digest === 'string' ? digest.slice(0, 200) : `entry ${position} of index.json`,
    why: `the entry in index.json cannot be used: ${z.prettifyError(error).slice(0, 1000)}`,
  };
}
