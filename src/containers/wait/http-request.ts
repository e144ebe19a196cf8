import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';

/** Bytes of an answer that are looked at; what comes after is not waited for. */
const MOST = 1 << 20;

export interface HttpAnswer {
  readonly status: number;
  /** UTF-8; empty when nobody wants it. */
  readonly body: string;
}

interface HttpRequest {
  readonly url: URL;
  readonly options: RequestOptions;
  readonly wantsBody: boolean;
}

/** One request on a connection of its own. Redirects are not followed. */
export async function askOnce({ url, options, wantsBody }: HttpRequest): Promise<HttpAnswer> {
  // Loaded by who asks: with TLS it is a good part of Node, which every start would have to wait for.
  const { request: send } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  return await new Promise((resolve, reject) => {
    // No agent: a connection that is kept open would keep the event loop alive.
    const request = send(url, { ...options, agent: false }, (response) => {
      const body = wantsBody ? readBody(response) : Promise.resolve('');
      body
        .then((text) => resolve({ status: response.statusCode!, body: text }), reject)
        .finally(() => request.destroy());
    });
    request.on('error', reject);
    request.end();
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MOST) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MOST);
}
