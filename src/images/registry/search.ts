import { z } from '../../support/zod.ts';
import { MAX_DOCUMENT, readJsonBody } from './http/response-body.ts';
import type { Registries } from './registries.ts';
import { settingsOf } from './registries-config.ts';
import { RegistryError } from './registry-error.ts';

/** What Docker itself asks (moby, registry/search.go). */
const DOCKER_HUB_SEARCH = new URL('https://index.docker.io');
const PAGE = 100;
/** Of a catalog; a registry with more repositories is searched in its first ones only. */
const MOST_PAGES = 100;

export interface SearchResult {
  /** Name to pull it by: `postgres`, `localhost:5000/me/app`. */
  readonly name: string;
  readonly description: string;
  /** Zero where the registry counts none. */
  readonly stars: number;
  readonly official: boolean;
}

export interface SearchRequest {
  /** Part of a name. */
  readonly term: string;
  /** `docker.io`, or a private registry. */
  readonly host: string;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Where Docker Hub's search is. Default: where it is. */
  readonly hub?: URL;
}

const hubSchema = z.object({
  results: z.array(
    z.object({
      name: z.string(),
      description: z.nullish(z.string()),
      star_count: z.nullish(z.number()),
      is_official: z.nullish(z.boolean()),
    }),
  ),
});
const catalogSchema = z.object({ repositories: z.nullable(z.array(z.string())) });

/**
 * Looks for images: on Docker Hub by its search, most starred first; elsewhere in the registry's catalog, by name, as in the server that
 * stands in Docker Hub's place.
 *
 * @throws RegistryError `registry.*`
 */
export function searchRegistry(registries: Registries, request: SearchRequest): Promise<SearchResult[]> {
  const { host } = request;
  const isHub = host === 'docker.io' && settingsOf(registries.config, host).location === undefined;
  return isHub ? searchHub(registries, request) : searchCatalog(registries, request);
}

async function searchHub(
  registries: Registries,
  { term, limit, signal, hub = DOCKER_HUB_SEARCH }: SearchRequest,
): Promise<SearchResult[]> {
  const transport = await registries.transport({ host: 'docker.io', base: hub }, signal);
  const query = new URLSearchParams({ q: term, n: String(limit) });
  const response = await transport.request({
    method: 'GET',
    url: `/v1/search?${query}`,
    scope: '',
    expect: [200],
    what: `search Docker Hub for ${JSON.stringify(term)}`,
    signal,
  });
  const { results } = parse(hubSchema, await readJsonBody(response, MAX_DOCUMENT), hub.host);
  return results.slice(0, limit).map(({ name, description, star_count, is_official }) => ({
    name,
    description: description ?? '',
    stars: star_count ?? 0,
    official: is_official ?? false,
  }));
}

async function searchCatalog(
  registries: Registries,
  { term, host, limit, signal }: SearchRequest,
): Promise<SearchResult[]> {
  const transport = await registries.transport({ host }, signal);
  const found: SearchResult[] = [];
  let url: URL | undefined = new URL(`/v2/_catalog?n=${PAGE}`, transport.base);
  for (let page = 0; url !== undefined && page < MOST_PAGES && found.length < limit; page += 1) {
    const response = await transport.request({
      method: 'GET',
      url,
      scope: 'registry:catalog:*',
      expect: [200],
      what: `read the catalog of ${host}`,
      signal,
    });
    const { repositories } = parse(catalogSchema, await readJsonBody(response, MAX_DOCUMENT), host);
    for (const name of repositories ?? []) {
      if (name.includes(term))
        found.push({
          name: host === 'docker.io' ? name.replace(/^library\//, '') : `${host}/${name}`,
          description: '',
          stars: 0,
          official: false,
        });
    }
    url = nextPage(response.headers.link, transport.base);
  }
  return found.slice(0, limit);
}

/** RFC 5988 as distribution-spec uses it: `</v2/_catalog?last=x&n=100>; rel="next"`; never to another server. */
function nextPage(link: string | string[] | undefined, base: URL): URL | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec([link ?? ''].flat().join(','))?.[1];
  if (target === undefined || !URL.canParse(target, base.href)) return undefined;
  const url = new URL(target, base);
  return url.origin === base.origin ? url : undefined;
}

function parse<T>(schema: z.ZodMiniType<T>, value: unknown, host: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RegistryError('registry.bad-response', `${host} sent something else than was asked for`, {
    host,
    cause: result.error,
  });
}
