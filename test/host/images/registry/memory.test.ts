import { createHash, type Hash, randomBytes } from 'node:crypto';
import { createWriteStream, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { END_OF_ARCHIVE, encodeHeader } from '../../../../src/files/tar/encode.ts';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { BUILT } from '../../../fixtures/cli.ts';
import { runMeasured } from '../../../fixtures/peaks.ts';
import { type RealRegistry, startDockerRegistry } from '../../../fixtures/registry/docker-registry.ts';
import { describe, imageOf, writeLayout } from '../../../fixtures/registry/image-layout.ts';
import { scratchStore } from '../../../fixtures/registry/pulling.ts';
import { skopeoCopy } from '../../../fixtures/registry/skopeo.ts';
import { requires } from '../../../requires.ts';

const MEBIBYTE = 1 << 20;
/** MiB, of one layer. */
const LARGE = 600;
/** MiB, of any process. */
const MOST = 150;

requires(
  'root',
  'docker-registry',
  'skopeo',
  'build',
)('the memory of a pull', () => {
  let registry: RealRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    using source = scratchStore();
    const layout = join(source.directory, 'layout');
    await writeLargeLayout(layout);
    await skopeoCopy(`oci:${layout}:large`, `docker://${registry.host}/large:1`, '--preserve-digests');
  }, 120_000);
  afterAll(() => registry[Symbol.asyncDispose]());

  test(`of a layer of ${LARGE} MB is at most ${MOST} MiB in any process`, async () => {
    using home = scratchStore();
    const reference = `${registry.host}/large:1`;
    const peaks = await runMeasured([...BUILT, 'pull', reference], {
      ...process.env,
      MAYFLY_HOME: join(home.directory, 'home'),
    });
    const image = await home.store.find(reference);
    expect(statSync(join(image!.layers[0]!.directory, 'large')).size).toBe(LARGE * MEBIBYTE);
    // Node alone takes 40.
    expect(peaks.main).toBeGreaterThan(30);
    expect(peaks.child).toBeGreaterThan(30);
    expect(peaks.main).toBeLessThan(MOST);
    expect(peaks.child).toBeLessThan(MOST);
  }, 120_000);
});

/** An image with one layer, which is never in memory as a whole. */
async function writeLargeLayout(layout: string): Promise<void> {
  writeLayout(layout, { large: [imageOf([])] });
  const blobs = join(layout, 'blobs/sha256');
  const temporary = join(layout, 'layer');
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  // Stored, because to compress random bytes takes long, and changes nothing for whoever unpacks them.
  const compress = createGzip({ level: 0 });
  await pipeline(largeTar(), tapped(plain), compress, tapped(packed), createWriteStream(temporary));
  const [diffId, digest] = [plain.digest('hex'), packed.digest('hex')];
  const { size } = statSync(temporary);
  renameSync(temporary, join(blobs, digest));
  const put = (value: object, mediaType: string) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const descriptor = describe(bytes, mediaType);
    writeFileSync(join(blobs, descriptor.digest.slice('sha256:'.length)), bytes);
    return descriptor;
  };
  const rootfs = { type: 'layers', diff_ids: [`sha256:${diffId}`] };
  const config = put({ architecture: 'amd64', os: 'linux', config: {}, rootfs }, MEDIA_TYPES.config);
  const layers = [{ mediaType: MEDIA_TYPES.gzipLayer, digest: `sha256:${digest}`, size }];
  const manifest = put(
    { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers },
    MEDIA_TYPES.manifest,
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'large' };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
}

async function* largeTar(): AsyncGenerator<Buffer> {
  yield encodeHeader({ type: 'file', name: 'large', size: LARGE * MEBIBYTE });
  const noise = randomBytes(MEBIBYTE);
  for (let written = 0; written < LARGE; written += 1) yield noise;
  yield END_OF_ARCHIVE;
}

const tapped = (hash: Hash) =>
  async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
