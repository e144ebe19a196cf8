import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { MayflyError } from '../../support/error.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { digestOf, isDigest, matchesDigest } from '../digest.ts';
import { type OciConfig, parseOciConfig } from '../manifest/oci-config.ts';
import { hostPlatform } from '../manifest/platform.ts';
import { writeDurably } from './durable-file.ts';
import { type ImageConfig, imageConfigSchema } from './image.ts';
import type { StorePaths } from './layout.ts';
import type { StoredImage } from './stored-image.ts';

const nameSchema = lazy(() => z.object({ id: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)) }));
/** What mayfly 0.1 wrote instead of a whole configuration. */
const legacySchema = lazy(() => z.object({ config: imageConfigSchema(), layers: z.array(z.string()) }));

/** Images that were made here: a configuration by its digest, a file for each name, and no blobs. */
export interface LocalImages {
  names(): string[];
  /** @throws MayflyError `image.corrupt` */
  find(name: string): StoredImage | undefined;
  /** Every configuration, named or not. */
  ids(): string[];
  /** @throws MayflyError `image.corrupt`, `image.bad-config` */
  open(id: string): StoredImage | undefined;
  /** The configuration that an id is the digest of, byte for byte; undefined for what mayfly 0.1 wrote instead of one. */
  bytes(id: string): Buffer | undefined;
  /** Keeps a configuration. Returns the image's id. */
  put(config: OciConfig): string;
  name(name: string, id: string): void;
  removeName(name: string): boolean;
  removeConfig(id: string): void;
}

export function openLocalImages({ names, configs }: StorePaths): LocalImages {
  const namePath = (name: string) => join(names, `${encodeURIComponent(name)}.json`);
  const configPath = (id: string) => join(configs, `${id.slice('sha256:'.length)}.json`);
  const filesOf = (directory: string) =>
    readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));

  function open(id: string): StoredImage | undefined {
    const bytes = readIfThere(configPath(id));
    if (bytes === undefined) return undefined;
    if (!matchesDigest(id, bytes)) throw corrupt(id, 'its configuration is not what its id says');
    return { id, name: undefined, config: parseConfig(bytes), packed: undefined };
  }

  return {
    open,
    bytes(id) {
      const bytes = readIfThere(configPath(id));
      return bytes === undefined || isLegacy(bytes) ? undefined : bytes;
    },
    // Files that are called otherwise are not ours.
    names: () => filesOf(names).flatMap((file) => decoded(file) ?? []),
    ids: () => filesOf(configs).flatMap((encoded) => [`sha256:${encoded}`].filter(isDigest)),
    find(name) {
      const bytes = readIfThere(namePath(name));
      if (bytes === undefined) return undefined;
      const image = open(parseName(name, bytes));
      if (image === undefined) throw corrupt(name, 'its configuration is gone');
      return { ...image, name };
    },
    put(config) {
      const bytes = JSON.stringify(config);
      const id = digestOf(bytes);
      if (readIfThere(configPath(id)) === undefined) writeDurably(configPath(id), bytes);
      return id;
    },
    name: (name, id) => writeDurably(namePath(name), JSON.stringify({ id })),
    removeName(name) {
      try {
        rmSync(namePath(name));
        return true;
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return false;
        throw error;
      }
    },
    removeConfig: (id) => rmSync(configPath(id), { force: true }),
  };
}

/** A configuration for layers that were made on this machine. */
export function newConfig(
  layers: readonly { readonly diffId: string }[],
  details: Pick<OciConfig, 'created' | 'author' | 'history'> & { config: ImageConfig },
): OciConfig {
  const { created, author, config, history } = details;
  return {
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    ...hostPlatform(),
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    ...(history === undefined ? {} : { history }),
  };
}

function isLegacy(bytes: Buffer): boolean {
  return legacySchema().safeParse(JSON.parse(bytes.toString('utf8'))).success;
}

function parseConfig(bytes: Buffer): OciConfig {
  const legacy = legacySchema().safeParse(JSON.parse(bytes.toString('utf8')));
  if (!legacy.success) return parseOciConfig(bytes);
  const layers = legacy.data.layers.map((diffId) => ({ diffId }));
  return newConfig(layers, { config: legacy.data.config as ImageConfig });
}

function decoded(file: string): string | undefined {
  try {
    return decodeURIComponent(file);
  } catch {
    return undefined;
  }
}

function parseName(name: string, bytes: Buffer): string {
  try {
    return nameSchema().parse(JSON.parse(bytes.toString('utf8'))).id;
  } catch (cause) {
    throw corrupt(name, 'its name cannot be read', cause);
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function corrupt(name: string, why: string, cause?: unknown): MayflyError {
  return new MayflyError('image.corrupt', `the image ${name} is damaged: ${why}`, {
    cause,
    hint: 'remove the image and import it again',
  });
}
