import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../../src/images/digest.ts';
import { openRegistries } from '../../../../src/images/registry/registries.ts';
import { searchRegistry } from '../../../../src/images/registry/search.ts';
import { describe, imageOf, layerOf, tarOf } from '../../../fixtures/registry/image-layout.ts';
import { QUICK, type ScratchStore, scratchStore } from '../../../fixtures/registry/pulling.ts';
import { requires } from '../../../requires.ts';

const image = imageOf([layerOf(tarOf({ name: 'f', type: 'file', content: 'x' }))]);
const content = new Map(
  [image.manifest, image.config, ...image.layers.map(({ blob }) => blob)].map((bytes) => [
    digestOf(bytes),
    bytes,
  ]),
);

requires('root', 'openssl')('whom a registry client trusts, and which way it takes', () => {
  let directory: string;
  let registry: Server;
  let host: string;
  let scratch: ScratchStore;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'mayfly-tls-'));
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=registry.test',
        '-addext',
        'subjectAltName=DNS:registry.test',
        '-keyout',
        join(directory, 'key'),
        '-out',
        join(directory, 'ca.pem'),
      ],
      { stdio: 'ignore' },
    );
    const tls = { key: readFileSync(join(directory, 'key')), cert: readFileSync(join(directory, 'ca.pem')) };
    registry = createHttpsServer(tls, (request, response) => {
      const [, kind, name] = /^\/v2\/app\/(manifests|blobs)\/(.*)$/.exec(request.url!) ?? [];
      const body = kind === 'manifests' && name === '1' ? image.manifest : content.get(name!);
      if (body === undefined) return response.writeHead(request.url === '/v2/' ? 200 : 404).end();
      response
        .writeHead(200, {
          'content-type': describe(body, JSON.parse(image.manifest.toString()).mediaType).mediaType,
          'content-length': body.length,
        })
        .end(body);
    });
    registry.listen(0, '127.0.0.1');
    await once(registry, 'listening');
    host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    registry.closeAllConnections();
    registry.close();
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    scratch = scratchStore();
  });
  afterEach(() => scratch[Symbol.dispose]());

  /** A real proxy by CONNECT, which leads every name to this machine. */
  async function startProxy() {
    const seen: string[] = [];
    const proxy = createHttpServer((_request, response) => response.writeHead(400).end());
    proxy.on('connect', (request, client) => {
      seen.push(request.url!);
      const [, port] = request.url!.split(':');
      const onward = connect(Number(port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        onward.pipe(client).pipe(onward);
      });
      onward.on('error', () => client.destroy());
      client.on('error', () => onward.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return {
      seen,
      url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      [Symbol.dispose]: () => {
        proxy.closeAllConnections();
        proxy.close();
      },
    };
  }

  const named = () => `registry.test:${host.split(':')[1]}`;

  test('this machine’s own registry may speak HTTPS with any certificate', async () => {
    expect((await scratch.pull(`${host}/app:1`)).id).toBe(digestOf(image.config));
  });

  test('another’s certificate has to be vouched for, by the system or by its "ca"', async () => {
    using proxy = await startProxy();
    const env = { HTTPS_PROXY: proxy.url };
    await expect(scratch.pull(`${named()}/app:1`, { env })).rejects.toMatchObject({ code: 'registry.tls' });
    const trusted = { [named()]: { ca: join(directory, 'ca.pem') } };
    expect((await scratch.pull(`${named()}/app:1`, { env, config: trusted })).id).toBe(
      digestOf(image.config),
    );
    expect(proxy.seen.length).toBeGreaterThan(0);
    expect(new Set(proxy.seen)).toEqual(new Set([named()]));
  });

  test('a certificate for another name is refused even when its authority is known', async () => {
    using proxy = await startProxy();
    const other = `other.test:${host.split(':')[1]}`;
    const config = { [other]: { ca: join(directory, 'ca.pem') } };
    await expect(
      scratch.pull(`${other}/app:1`, { env: { HTTPS_PROXY: proxy.url }, config }),
    ).rejects.toMatchObject({ code: 'registry.tls' });
  });

  test('NO_PROXY goes past the proxy, as does what is on this machine', async () => {
    using proxy = await startProxy();
    const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NO_PROXY: '.test' };
    await expect(scratch.pull(`${named()}/app:1`, { env })).rejects.toMatchObject({
      code: 'registry.unreachable',
    });
    await scratch.pull(`${host}/app:1`, { env });
    expect(proxy.seen).toEqual([]);
  });

  test('a proxy that lets nobody through is a registry that cannot be reached', async () => {
    const proxy = createHttpServer();
    proxy.on('connect', (_request, client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const env = { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    await expect(scratch.pull(`${named()}/app:1`, { env })).rejects.toMatchObject({
      code: 'registry.unreachable',
    });
    proxy.close();
  });

  test('Docker Hub’s search is read as it is', async () => {
    const hub = createHttpServer((request, response) => {
      expect(request.url).toBe('/v1/search?q=post&n=2');
      response.end(
        JSON.stringify({
          results: [
            { name: 'postgres', description: 'x', star_count: 9, is_official: true },
            { name: 'me/post' },
          ],
        }),
      );
    });
    hub.listen(0, '127.0.0.1');
    await once(hub, 'listening');
    await using registries = openRegistries({ ...QUICK, config: {} });
    const url = new URL(`http://127.0.0.1:${(hub.address() as AddressInfo).port}`);
    expect(await searchRegistry(registries, { term: 'post', host: 'docker.io', limit: 2, hub: url })).toEqual(
      [
        { name: 'postgres', description: 'x', stars: 9, official: true },
        { name: 'me/post', description: '', stars: 0, official: false },
      ],
    );
    hub.close();
  });
});
