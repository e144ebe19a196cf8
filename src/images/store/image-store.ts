import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../support/error.ts';
import type { Home } from '../../support/home.ts';
import type { Layer } from '../layers/layer.ts';
import { type LayerStore, openLayerStore } from '../layers/layer-store.ts';
import { formatReference, parseReference } from '../reference/parse.ts';
import { type Image, type ImageConfig, imageConfigSchema } from './image.ts';

const recordSchema = z.object({ config: imageConfigSchema, layers: z.array(z.string()) });
const tagSchema = z.object({ id: z.string() });

export interface NewImage {
  /** Name to give it; undefined for an image that is only known by its id. */
  readonly reference: string | undefined;
  readonly config: ImageConfig;
  /** Bottom to top. */
  readonly layers: readonly Layer[];
}

/** The images of one home: a file for each configuration, by digest, and a file for each name. */
export interface ImageStore {
  readonly layers: LayerStore;
  /** @throws MayflyError `image.bad-reference`, `image.corrupt` */
  find(reference: string): Promise<Image | undefined>;
  /** @throws MayflyError `image.not-found` */
  resolve(reference: string): Promise<Image>;
  put(image: NewImage): Promise<Image>;
  /** Every name in the store, in full. */
  list(): string[];
  /** Takes a name away; the layers stay, as other images may stand on them. */
  remove(reference: string): void;
}

export function openImageStore(home: Home): ImageStore {
  const layers = openLayerStore(home);
  const configs = join(home.images, 'configs');
  const names = join(home.images, 'names');
  for (const directory of [configs, names]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const canonical = (reference: string) => formatReference(parseReference(reference));
  const namePath = (name: string) => join(names, `${encodeURIComponent(name)}.json`);

  async function find(reference: string): Promise<Image | undefined> {
    const name = canonical(reference);
    const tag = readJson(namePath(name), tagSchema);
    if (tag === undefined) return undefined;
    const record = readJson(join(configs, `${tag.id.slice('sha256:'.length)}.json`), recordSchema);
    if (record === undefined) throw corrupt(name, 'its configuration is gone');
    const found = record.layers.map((diffId) => layers.get(diffId));
    const whole = found.filter((layer) => layer !== undefined);
    if (whole.length < found.length) throw corrupt(name, 'a layer is gone');
    return { id: tag.id, references: [name], config: record.config as ImageConfig, layers: whole };
  }

  return {
    layers,
    find,
    async resolve(reference) {
      const image = await find(reference);
      if (image !== undefined) return image;
      throw new MayflyError('image.not-found', `no image ${JSON.stringify(reference)} in the local store`, {
        hint: 'import one with importImage; registries are not supported yet',
      });
    },
    async put({ reference, config, layers: stack }) {
      const record = JSON.stringify({ config, layers: stack.map((layer) => layer.diffId) });
      const digest = createHash('sha256').update(record).digest('hex');
      writeWhole(join(configs, `${digest}.json`), record);
      const id = `sha256:${digest}`;
      if (reference === undefined) return { id, references: [], config, layers: stack };
      const name = canonical(reference);
      writeWhole(namePath(name), JSON.stringify({ id }));
      return { id, references: [name], config, layers: stack };
    },
    list: () => readdirSync(names).map((file) => decodeURIComponent(file.slice(0, -'.json'.length))),
    remove: (reference) => rmSync(namePath(canonical(reference)), { force: true }),
  };
}

function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw corrupt(path, 'it cannot be read', error);
  }
}

function corrupt(what: string, why: string, cause?: unknown): MayflyError {
  return new MayflyError('image.corrupt', `${what} is damaged: ${why}`, {
    cause,
    hint: 'remove the image and import it again',
  });
}

/** By rename, so that no reader ever sees half of it. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
