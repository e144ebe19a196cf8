import { RegistryError } from '../registry-error.ts';
import type { HttpClient, HttpRequest, HttpResponse } from './http-client.ts';
import { discard } from './response-body.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 10;

export interface RedirectedRequest extends HttpRequest {
  readonly method: 'GET' | 'HEAD';
  /** The value for Authorization at the origin that was asked first; no other ever sees it (distribution-spec, "Legacy"). */
  readonly authorization?: string | undefined;
}

/**
 * Sends a request and goes where the server points, as registries do with blobs.
 *
 * @throws RegistryError `registry.bad-redirect` after ten of them, without a target, or from https to http
 */
export async function sendAndFollow(http: HttpClient, request: RedirectedRequest): Promise<HttpResponse> {
  const { authorization, headers, ...rest } = request;
  let { url } = request;
  for (let hops = 0; ; hops += 1) {
    // By origin, which is scheme, host and port: each of them can be another server (CVE-2026-50151).
    const own = authorization !== undefined && url.origin === request.url.origin ? { authorization } : {};
    const response = await http.send({ ...rest, url, headers: { ...headers, ...own } });
    if (!REDIRECTS.has(response.status)) return response;
    discard(response.body);
    url = nextUrl(url, response.headers.location);
    if (hops === MOST_REDIRECTS) throw badRedirect(request.url, `more than ${MOST_REDIRECTS} redirects`);
  }
}

function nextUrl(from: URL, location: string | undefined): URL {
  if (location === undefined) throw badRedirect(from, 'a redirect to nowhere');
  let to: URL;
  try {
    to = new URL(location, from);
  } catch (cause) {
    throw badRedirect(from, 'a redirect to what is no URL', cause);
  }
  if (to.protocol !== 'https:' && to.protocol !== 'http:')
    throw badRedirect(from, `a redirect to ${to.protocol}`);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw badRedirect(from, `a redirect from https to http (${to.host})`);
  }
  return to;
}

function badRedirect({ host }: URL, what: string, cause?: unknown): RegistryError {
  return new RegistryError('registry.bad-redirect', `${host} answered with ${what}`, { host, cause });
}
