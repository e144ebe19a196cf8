/** Media types by what they stand for: OCI's of image-spec (media-types.md), and those of Docker's schema 2 that mean the same. */
export const MEDIA_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  gzipLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstdLayer: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerGzipLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

const MANIFESTS: readonly string[] = [MEDIA_TYPES.manifest, MEDIA_TYPES.dockerManifest];
const INDEXES: readonly string[] = [MEDIA_TYPES.index, MEDIA_TYPES.dockerList];
const CONFIGS: readonly string[] = [MEDIA_TYPES.config, MEDIA_TYPES.dockerConfig];

export const isManifestType = (type: string) => MANIFESTS.includes(type);
export const isIndexType = (type: string) => INDEXES.includes(type);
export const isConfigType = (type: string) => CONFIGS.includes(type);

/** Docker's first format, in its three spellings; nobody makes it any more. */
export const isSchema1Type = (type: string) =>
  /^application\/vnd\.docker\.distribution\.manifest\.v1\+/.test(type);

/** Every kind of layer that is a tar: plain, compressed, and those that may not be distributed further. */
export function isLayerType(type: string): boolean {
  return (
    /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+gzip|\+zstd)?$/.test(type) ||
    /^application\/vnd\.docker\.image\.rootfs\.(?:foreign\.)?diff\.tar(?:\.gzip|\.zstd)?$/.test(type)
  );
}

/** The header `Accept` for manifests. */
export const ACCEPT_MANIFESTS = [...MANIFESTS, ...INDEXES].join(', ');
