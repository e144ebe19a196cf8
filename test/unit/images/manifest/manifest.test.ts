import { expect, test } from 'vitest';
import { parseDocument } from '../../../../src/images/manifest/manifest.ts';
import { MEDIA_TYPES } from '../../../../src/images/manifest/media-types.ts';
import { parseOciConfig } from '../../../../src/images/manifest/oci-config.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const layer = { mediaType: MEDIA_TYPES.gzipLayer, digest, size: 1 };
const manifest = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.manifest,
  config: { mediaType: MEDIA_TYPES.config, digest, size: 2 },
  layers: [layer],
};
const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [] };
const parse = (value: unknown, announced?: string) =>
  parseDocument(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), announced);

test.each<[string, object, string | undefined, string]>([
  ['an OCI manifest', manifest, MEDIA_TYPES.manifest, 'manifest'],
  ['one that does not say what it is', { ...manifest, mediaType: undefined }, undefined, 'manifest'],
  ['one that is said to be bytes', manifest, 'application/octet-stream', 'manifest'],
  ['one with a character set', manifest, `${MEDIA_TYPES.manifest}; charset=utf-8`, 'manifest'],
  [
    'one of Docker',
    {
      ...manifest,
      mediaType: MEDIA_TYPES.dockerManifest,
      config: { ...manifest.config, mediaType: MEDIA_TYPES.dockerConfig },
      layers: [{ ...layer, mediaType: MEDIA_TYPES.dockerGzipLayer }],
    },
    MEDIA_TYPES.dockerManifest,
    'manifest',
  ],
  ['an index', index, MEDIA_TYPES.index, 'index'],
  ['a list of Docker', { ...index, mediaType: MEDIA_TYPES.dockerList }, MEDIA_TYPES.dockerList, 'index'],
  ['an index that does not say what it is', { ...index, mediaType: undefined }, undefined, 'index'],
])('reads %s', (_title, value, announced, kind) => {
  expect(parse(value, announced).kind).toBe(kind);
});

test.each<[string, unknown, string | undefined, string]>([
  ['both in one', { ...manifest, ...index }, undefined, 'image.ambiguous-manifest'],
  [
    'a manifest with manifests',
    { ...manifest, manifests: [] },
    MEDIA_TYPES.manifest,
    'image.ambiguous-manifest',
  ],
  ['an index with layers', { ...index, layers: [layer] }, MEDIA_TYPES.index, 'image.ambiguous-manifest'],
  ['an image with schema 1’s layers', { ...manifest, fsLayers: [] }, undefined, 'image.ambiguous-manifest'],
  ['a manifest announced as an index', manifest, MEDIA_TYPES.index, 'image.ambiguous-manifest'],
  ['an index announced as a manifest', index, MEDIA_TYPES.manifest, 'image.ambiguous-manifest'],
  ['schema 1', { schemaVersion: 1, name: 'x' }, undefined, 'image.unsupported-manifest'],
  [
    'signed schema 1',
    { schemaVersion: 1, name: 'x' },
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    'image.unsupported-manifest',
  ],
  ['schema 1 as text', { schemaVersion: 1 }, 'text/plain', 'image.unsupported-manifest'],
  [
    'an artifact',
    { ...manifest, config: { ...manifest.config, mediaType: 'application/x' } },
    undefined,
    'image.unsupported-manifest',
  ],
  [
    'a layer that is no tar',
    { ...manifest, layers: [{ ...layer, mediaType: 'text/x' }] },
    undefined,
    'image.unsupported-manifest',
  ],
  ['a page', '<html>', 'text/html', 'image.bad-manifest'],
  ['a page that is JSON', {}, 'text/html', 'image.unsupported-manifest'],
  ['null', 'null', undefined, 'image.bad-manifest'],
  ['a list', '[]', undefined, 'image.bad-manifest'],
  ['nothing', '', undefined, 'image.bad-manifest'],
  ['no UTF-8', '\u{fffd}', undefined, 'image.bad-manifest'],
  ['another version', { ...manifest, schemaVersion: 3 }, undefined, 'image.bad-manifest'],
  ['no configuration', { ...manifest, config: undefined }, undefined, 'image.bad-manifest'],
  ['layers that are null', { ...manifest, layers: null }, undefined, 'image.bad-manifest'],
  ['a size below zero', { ...manifest, layers: [{ ...layer, size: -1 }] }, undefined, 'image.bad-manifest'],
  [
    'a size that is no number',
    { ...manifest, layers: [{ ...layer, size: '1' }] },
    undefined,
    'image.bad-manifest',
  ],
  [
    'a digest that is a path',
    { ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc' }] },
    undefined,
    'image.bad-manifest',
  ],
  [
    'a digest of __proto__',
    { ...manifest, layers: [{ ...layer, digest: '__proto__:x' }] },
    undefined,
    'image.bad-manifest',
  ],
  ['126 layers', { ...manifest, layers: Array(126).fill(layer) }, undefined, 'image.too-many-layers'],
])('refuses %s', (_title, value, announced, code) => {
  expect(() => parse(value, announced)).toThrow(expect.objectContaining({ code }));
});

test('__proto__ in a manifest changes no prototype', () => {
  const text = JSON.stringify(manifest).replace('{', '{"__proto__": {"polluted": true}, ');
  parse(text);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } };

test('a configuration as Docker writes it, with null for what is empty', () => {
  const docker = {
    ...config,
    config: { Env: null, Cmd: ['sh'], Volumes: null, Entrypoint: null },
    history: null,
  };
  expect(parseOciConfig(Buffer.from(JSON.stringify(docker)))).toMatchObject({ config: { Cmd: ['sh'] } });
});

test.each<[string, unknown]>([
  ['a diffID that is a path', { ...config, rootfs: { type: 'layers', diff_ids: ['../x'] } }],
  ['environment that is no list', { ...config, config: { Env: 'A=b' } }],
  ['a command of numbers', { ...config, config: { Cmd: [1] } }],
  ['another kind of rootfs', { ...config, rootfs: { type: 'disk', diff_ids: [] } }],
  ['null', null],
])('a configuration with %s is refused', (_title, value) => {
  expect(() => parseOciConfig(Buffer.from(JSON.stringify(value)))).toThrow(
    expect.objectContaining({ code: 'image.bad-config' }),
  );
});
