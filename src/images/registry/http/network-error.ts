import { RegistryError } from '../registry-error.ts';

/** No connection came about: the machine is offline, the name is unknown, nobody listens there. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** What undici says, without a code, when a proxy lets nobody through to a host. */
const PROXY_REFUSAL = /^Proxy response \(\d+\)/;
const STALLED = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const TLS = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$)/;

/** What went wrong between us and the server at `url`, as one of a few codes. */
export function networkError(cause: unknown, { host }: URL): Error {
  if (cause instanceof RegistryError) return cause;
  const { code, why } = describe(cause);
  if (UNREACHABLE.has(code) || PROXY_REFUSAL.test(why)) {
    return new RegistryError('registry.unreachable', `cannot reach ${host}: ${why}`, {
      host,
      cause,
      hint: 'is this machine online? a proxy is taken from HTTPS_PROXY, mirrors from registries.json',
    });
  }
  if (STALLED.has(code)) {
    return new RegistryError('registry.stalled', `${host} does not answer in time`, { host, cause });
  }
  if (TLS.test(code)) {
    return new RegistryError('registry.tls', `no trusted connection to ${host}: ${why}`, {
      host,
      cause,
      hint: 'name its authority ("ca") in registries.json, or mark the registry "insecure" there',
    });
  }
  return new RegistryError('registry.broken-connection', `the connection to ${host} broke: ${why}`, {
    host,
    cause,
  });
}

/** The innermost code; a failed connection to several addresses hides it in an AggregateError. */
function describe(cause: unknown): { code: string; why: string } {
  const errors = cause instanceof AggregateError ? (cause.errors as unknown[]) : [];
  for (let error: unknown = errors[0] ?? cause; error instanceof Error; error = error.cause) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code === 'string') return { code, why: error.message || code };
  }
  return { code: '', why: cause instanceof Error ? cause.message : String(cause) };
}
