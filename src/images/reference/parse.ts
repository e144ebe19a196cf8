import { isIPv6 } from 'node:net';
import { MayflyError } from '../../support/error.ts';
import { isDigest } from '../digest.ts';

/** The name of an image, taken apart. */
export interface Reference {
  /** Host and perhaps port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** `library/postgres` */
  readonly repository: string;
  /** Undefined only where a digest says it all. */
  readonly tag: string | undefined;
  /** `sha256:…` or `sha512:…`. Beside a tag it is what counts. */
  readonly digest: string | undefined;
}

// The grammar of github.com/distribution/reference (reference.go, regexp.go), with the same names.
const PATH_COMPONENT = /[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*/;
const REMOTE_NAME = new RegExp(`^${PATH_COMPONENT.source}(?:/${PATH_COMPONENT.source})*$`);
const DOMAIN_COMPONENT = /(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])/;
const DOMAIN = new RegExp(
  `^(?:${DOMAIN_COMPONENT.source}(?:\\.${DOMAIN_COMPONENT.source})*|\\[([a-fA-F0-9:]+)\\])(?::([0-9]{1,5}))?$`,
);
const TAG = /^\w[\w.-]{0,127}$/;
/** A name that could as well be the id of an image (reference/normalize.go). */
const IDENTIFIER = /^[a-f0-9]{64}$/;
/** Of the repository with its registry. */
const MAX_NAME = 255;
const MAX_PORT = 65535;

const DOCKER_HUB = 'docker.io';
/** An old name of Docker Hub, which old configuration files still hold. */
const DOCKER_HUB_LEGACY = 'index.docker.io';

/**
 * Parses a reference and fills in what Docker would: registry `docker.io`, namespace `library`, tag `latest`.
 *
 * @throws MayflyError `image.bad-reference`
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const { registry, rest } = splitRegistry(named);
  const colon = rest.lastIndexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path;
  const why = IDENTIFIER.test(named)
    ? 'it looks like the id of an image'
    : whyInvalid({ registry, repository, tag, digest });
  if (why !== undefined) {
    const shown = JSON.stringify(text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text);
    throw new MayflyError('image.bad-reference', `not a reference to an image: ${shown}: ${why}`, {
      hint: 'write [registry/]name[:tag][@digest], such as postgres:17, in small letters',
    });
  }
  return { registry, repository, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** The one spelling of a reference: `docker.io/library/postgres:17`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The spelling that people use: `postgres:17`, without what Docker would fill in. */
export function familiarReference(reference: Reference): string {
  const { registry, repository } = reference;
  const full = formatReference(reference);
  if (registry !== DOCKER_HUB) return full;
  const official = repository.startsWith('library/') && repository.lastIndexOf('/') === 'library'.length;
  return full.slice(registry.length + 1 + (official ? 'library/'.length : 0));
}

/** The first part is a registry when it could not be a namespace of Docker Hub. */
function splitRegistry(named: string): { registry: string; rest: string } {
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isRegistry = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  if (!isRegistry) return { registry: DOCKER_HUB, rest: named };
  return { registry: first === DOCKER_HUB_LEGACY ? DOCKER_HUB : first, rest: named.slice(slash + 1) };
}

function whyInvalid({ registry, repository, tag, digest }: Reference): string | undefined {
  const domain = DOMAIN.exec(registry);
  if (domain === null || (domain[1] !== undefined && !isIPv6(domain[1]))) return 'the registry is no host';
  if (Number(domain[2] ?? 0) > MAX_PORT) return 'there is no such port';
  if (!REMOTE_NAME.test(repository)) return 'the name of the repository is malformed';
  if (registry.length + 1 + repository.length > MAX_NAME) {
    return `the name of the repository is longer than ${MAX_NAME} characters`;
  }
  if (tag !== undefined && !TAG.test(tag)) return 'the tag is malformed';
  if (digest !== undefined && !isDigest(digest)) return 'the digest is malformed or of an unknown algorithm';
  return undefined;
}
