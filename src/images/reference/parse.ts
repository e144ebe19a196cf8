import { MayflyError } from '../../support/error.ts';

/** The name of an image, taken apart (distribution reference grammar). */
export interface Reference {
  /** Host and perhaps port: `docker.io`. */
  readonly registry: string;
  /** `library/postgres` */
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:…` */
  readonly digest: string | undefined;
}

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MAX_NAME = 255;

/**
 * Parses a reference and fills in what Docker would: registry `docker.io`, namespace `library`, tag `latest`.
 *
 * @throws MayflyError `image.bad-reference`
 */
export function parseReference(text: string): Reference {
  const [named = '', digest] = text.split('@') as [string, string?];
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  // The first part is a host when it could not be anything else.
  const hasHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  const rest = hasHost ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const registry = hasHost ? first : 'docker.io';
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  const valid =
    HOST.test(registry) &&
    REPOSITORY.test(repository) &&
    repository.length <= MAX_NAME &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest)) &&
    text.split('@').length <= 2;
  if (!valid) {
    throw new MayflyError('image.bad-reference', `not a reference to an image: ${JSON.stringify(text)}`, {
      hint: 'write name[:tag][@digest], such as postgres:17, in small letters',
    });
  }
  return { registry, repository, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** The one spelling of a reference: `docker.io/library/postgres:17`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
