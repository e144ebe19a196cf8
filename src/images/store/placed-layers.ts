import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../kernel/ffi/system-error.ts';
import { ZodError, z } from '../../support/zod.ts';
import { placeKey } from '../layers/place-layer.ts';
import type { StorePaths } from './layout.ts';

const schema = z.object({ diffId: z.string(), of: z.string() });

/** A layer that was made of another one for the sake of what it stands on. */
export interface PlacedLayer {
  /** By what it is remembered. */
  readonly key: string;
  readonly diffId: string;
  /** diffID of the other one. */
  readonly of: string;
  /** Forgets that it was made. */
  forget(): void;
}

/** All of them. What cannot be read is forgotten, since it can be made again. */
export function listPlaced({ placed }: StorePaths): PlacedLayer[] {
  return filesIn(placed).flatMap((name) => {
    const path = join(placed, name);
    const forget = () => {
      for (const file of [path, `${path}.lock`]) rmSync(file, { force: true });
    };
    try {
      const key = name.slice(0, -'.json'.length);
      return [{ ...schema.parse(JSON.parse(readFileSync(path, 'utf8'))), key, forget }];
    } catch (error) {
      if (!(error instanceof ZodError || error instanceof SyntaxError)) throw error;
      forget();
      return [];
    }
  });
}

/** Those that an image consists of; its diffIDs bottom to top. */
export function placedOf(diffIds: readonly string[], placed: readonly PlacedLayer[]): PlacedLayer[] {
  const byKey = new Map(placed.map((layer) => [layer.key, layer]));
  const stack: string[] = [];
  const found: PlacedLayer[] = [];
  for (const [position, diffId] of diffIds.entries()) {
    if (diffIds.indexOf(diffId, position + 1) >= 0) continue;
    const layer = byKey.get(placeKey([...stack, diffId]));
    if (layer !== undefined) found.push(layer);
    stack.push(layer?.diffId ?? diffId);
  }
  return found;
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
