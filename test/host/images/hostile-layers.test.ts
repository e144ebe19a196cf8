import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/images/digest.ts';
import { MEDIA_TYPES } from '../../../src/images/manifest/media-types.ts';
import type { Image } from '../../../src/images/store/image.ts';
import { verifyStore } from '../../../src/images/store/verify-store.ts';
import { loadFromArchive } from '../../../src/images/transfer/load.ts';
import { buildImage, verifyImages } from '../../../src/index.ts';
import { bytesOf, CASES, VICTIM } from '../../fixtures/hostile-archives.ts';
import {
  dockerArchive,
  imageOf,
  layerOf,
  ociArchive,
  type TestImage,
} from '../../fixtures/registry/image-layout.ts';
import { type ScratchStore, scratchStore } from '../../fixtures/registry/pulling.ts';
import { type StaticRegistry, startStaticRegistry } from '../../fixtures/registry/static-registry.ts';
import { requires } from '../../requires.ts';

requires('root', 'zstd')('hostile layers, however they come', () => {
  let registry: StaticRegistry;
  let scratch: ScratchStore;
  beforeAll(async () => {
    registry = await startStaticRegistry();
    mkdirSync(VICTIM, { recursive: true });
    writeFileSync(join(VICTIM, 'hello'), 'untouched');
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => {
    scratch[Symbol.dispose]();
    expect(readFileSync(join(VICTIM, 'hello'), 'utf8')).toBe('untouched');
  });

  const load = (archive: Buffer) =>
    loadFromArchive(scratch.store, { from: Readable.from([archive]), overwrite: false });
  const WAYS: Readonly<Record<string, (image: TestImage) => Promise<unknown>>> = {
    'in a docker-archive': (image) => load(dockerArchive(image, REFERENCE())),
    'in an oci-archive': (image) => load(ociArchive(image, REFERENCE())),
    'from a registry': (image) => {
      registry.serve(image);
      return scratch.pull(REFERENCE());
    },
  };
  const REFERENCE = () => `${registry.host}/evil:1`;

  /** Neither half a layer nor half a blob. */
  function expectNothingLeftOver(): void {
    const home = join(scratch.directory, 'home');
    expect(readdirSync(join(home, 'layers')).filter((name) => name.startsWith('tmp-'))).toEqual([]);
    expect(readdirSync(join(home, 'images/ingest')).filter((name) => !name.endsWith('.lock'))).toEqual([]);
  }

  for (const [way, bring] of Object.entries(WAYS))
    describe(way, () => {
      for (const [title, tar, outcome] of CASES)
        test(title, async () => {
          const blob = bytesOf(tar);
          const layer = { ...layerOf(blob, { compress: (bytes) => bytes, mediaType: MEDIA_TYPES.layer }) };
          const bringing = bring(imageOf([layer]));
          if ('refused' in outcome) {
            await expect(bringing).rejects.toMatchObject({
              code: 'layer.refused',
              reference: REFERENCE(),
              layer: digestOf(blob),
              message: expect.stringMatching(outcome.refused),
            });
            expect(scratch.store.list()).toEqual([]);
            expect(scratch.store.layers.list()).toEqual([]);
          } else {
            await bringing;
            const { layers } = (await scratch.store.find(REFERENCE())) as Image;
            for (const [path, content] of Object.entries(outcome.inside))
              expect(readFileSync(join(layers[0]!.directory, path), 'utf8')).toBe(content);
          }
          expect(await verifyStore(scratch.store)).toEqual([]);
          expectNothingLeftOver();
        });
    });
});

requires('root', 'zstd')('hostile archives that a Dockerfile adds', () => {
  let home: string;
  let context: string;
  const before = process.env.MAYFLY_HOME;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-add-'));
    process.env.MAYFLY_HOME = home;
    context = mkdtempSync(join(tmpdir(), 'mayfly-context-'));
    mkdirSync(VICTIM, { recursive: true });
    writeFileSync(join(VICTIM, 'hello'), 'untouched');
  });
  afterEach(() => {
    process.env.MAYFLY_HOME = before;
    if (before === undefined) delete process.env.MAYFLY_HOME;
    for (const directory of [home, context]) rmSync(directory, { recursive: true, force: true });
    expect(readFileSync(join(VICTIM, 'hello'), 'utf8')).toBe('untouched');
  });

  for (const [title, tar, asLayer, outcome = asLayer] of CASES)
    test(title, async () => {
      const bytes = bytesOf(tar);
      writeFileSync(join(context, 'evil.tar'), bytes);
      writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nADD evil.tar /w/\n');
      const built = await buildImage({ context }).catch((error: unknown) => error);
      if (built instanceof Error) {
        // There, the links of these lead nowhere.
        expect('refused' in outcome || Object.keys(outcome.inside).length === 0).toBe(true);
        expect(built).toMatchObject({
          code: expect.stringMatching(/^(build|copy|file|layer)\./),
          message: expect.stringContaining('Dockerfile:2'),
        });
      } else {
        const [layer] = (built as Image).layers.slice(-1);
        // What cannot be recognised as an archive is added as it is.
        if ('refused' in outcome) expect(readFileSync(join(layer!.directory, 'w/evil.tar'))).toEqual(bytes);
        else
          for (const [path, content] of Object.entries(outcome.inside))
            expect(readFileSync(join(layer!.directory, 'w', path), 'utf8')).toBe(content);
      }
      expect(await verifyImages()).toEqual([]);
      for (const directory of ['layers', 'containers'])
        expect(readdirSync(join(home, directory)).filter((name) => name.startsWith('tmp-'))).toEqual([]);
    });
});
