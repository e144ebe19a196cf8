import type { RequestOptions } from 'node:https';
import { type Duration, parseDuration } from '../../support/duration.ts';
import { lazy } from '../../support/lazy.ts';
import { z } from '../../support/zod.ts';
import { duration, port as portSchema, text } from '../option-schemas.ts';
import { untilNothingIsWrong } from './attempts.ts';
import { checkWait, waitShape } from './check.ts';
import { askOnce, type HttpAnswer } from './http-request.ts';
import { DEFAULT_TIMEOUT, type WaitOptions, type WaitStrategy } from './strategy.ts';

export interface HttpWaitOptions extends WaitOptions {
  /** A status, several, or a test of it. Default: 200 to 399, as Kubernetes' probes have it; redirects are not followed. */
  readonly status?: number | readonly number[] | ((status: number) => boolean);
  /** A test of the answer's body, of which the first MiB counts. Default: none, and the body is not read. */
  readonly body?: (text: string) => boolean;
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** HTTP basic authentication. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Speak TLS. `true` trusts the authorities that Node trusts. Default: false. */
  readonly tls?: boolean | HttpWaitTls;
  /** How long one request may take; then the next is made. Default: 5 seconds. */
  readonly requestTimeout?: Duration;
}

export interface HttpWaitTls {
  /** Certificates in PEM to trust instead of those that Node trusts: the server's own, when it has signed itself. */
  readonly ca?: string | Uint8Array;
  /** The name that the certificate has to be for. Default: `localhost`; no certificate knows a container's address beforehand. */
  readonly servername?: string;
  /** Take any certificate. Default: false. */
  readonly insecure?: boolean;
}

const DEFAULT_REQUEST_TIMEOUT: Duration = '5s';
const PAUSES = { firstPause: 2, longestPause: 100 };

/** Ready when a request to `http://container:port/path` gets the answer that is wanted. A `path` begins with a slash. */
export function forHttp(path: string, port: number, options: HttpWaitOptions = {}): WaitStrategy {
  checkWait('forHttp', SHAPE, { path, port, ...options });
  const { timeout = DEFAULT_TIMEOUT, tls = false, body } = options;
  const limit = parseDuration(options.requestTimeout ?? DEFAULT_REQUEST_TIMEOUT);
  const request = requestOptions(options);
  const scheme = tls === false ? 'http' : 'https';
  return {
    what: `${request.method} ${scheme}://…:${port}${path} to be answered`,
    timeout,
    ready(target, signal) {
      const reached = target.endpoint(port);
      const url = new URL(`${scheme}://${reached.host}:${reached.port}`);
      const attempt = async () => {
        const over = AbortSignal.timeout(limit);
        const one = { ...request, path, signal: AbortSignal.any([signal, over]) };
        const answer = await askOnce({ url, options: one, wantsBody: body !== undefined }).catch(
          (error: unknown) =>
            over.aborted
              ? `there was no answer within ${limit} ms`
              : `the request failed: ${(error as Error).message}`,
        );
        return typeof answer === 'string' ? answer : whatIsWrong(answer, options);
      };
      return untilNothingIsWrong(attempt, { signal, ...PAUSES });
    },
  };
}

function whatIsWrong({ status, body }: HttpAnswer, wanted: HttpWaitOptions): string | undefined {
  const { status: right = (code: number) => code >= 200 && code < 400 } = wanted;
  const matches = typeof right === 'function' ? right(status) : [right].flat().includes(status);
  if (!matches) return `the answer was ${status}`;
  if (wanted.body === undefined || wanted.body(body)) return undefined;
  return `the answer was ${status} with another body: ${JSON.stringify(body.slice(0, 200))}`;
}

function requestOptions({
  method = 'GET',
  headers = {},
  auth,
  tls = false,
}: HttpWaitOptions): RequestOptions {
  const { ca, servername = 'localhost', insecure = false } = typeof tls === 'object' ? tls : {};
  return {
    method,
    headers,
    ...(auth === undefined ? {} : { auth: `${auth.username}:${auth.password}` }),
    ...(tls === false ? {} : { servername, rejectUnauthorized: !insecure }),
    ...(ca === undefined ? {} : { ca: Buffer.from(ca as Uint8Array) }),
  };
}

const status = z.int().check(z.gte(100), z.lte(599));
const SHAPE = lazy(() => ({
  ...waitShape,
  path: text.check(z.startsWith('/', 'must begin with a slash')),
  port: portSchema,
  status: z.optional(z.union([status, z.array(status).check(z.minLength(1)), z.function()])),
  body: z.optional(z.function()),
  method: z.optional(z.string().check(z.regex(/^[A-Z]+$/, 'must be a method such as GET'))),
  headers: z.optional(z.record(z.string(), z.string())),
  auth: z.optional(z.strictObject({ username: z.string(), password: z.string() })),
  tls: z.optional(
    z.union([
      z.boolean(),
      z.strictObject({
        ca: z.optional(z.union([z.string(), z.instanceof(Uint8Array)])),
        servername: z.optional(z.string()),
        insecure: z.optional(z.boolean()),
      }),
    ]),
  ),
  requestTimeout: z.optional(duration),
}));
