import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpWaitOptions, type Image, startContainer, Wait } from '../../../../src/index.ts';
import { debian, TEST_HOME } from '../../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../../fixtures/leaks.ts';
import { requires } from '../../../requires.ts';

const PORT = 8080;
const SERVER = join(import.meta.dirname, '../../../fixtures/http-server.cjs');

requires(
  'root',
  'mmdebstrap',
  'openssl',
)('waiting for HTTP', () => {
  let image: Image;
  let plain: string;
  let secure: string;
  let ca: Buffer;
  beforeAll(async () => {
    image = await debian();
    plain = mkdtempSync(join(tmpdir(), 'mayfly-http-'));
    secure = mkdtempSync(join(tmpdir(), 'mayfly-https-'));
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
        .concat(['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'])
        .concat(['-keyout', `${secure}/key.pem`, '-out', `${secure}/cert.pem`]),
      { stdio: 'pipe' },
    );
    ca = readFileSync(`${secure}/cert.pem`);
  });
  afterAll(() => {
    for (const directory of [plain, secure]) rmSync(directory, { recursive: true });
  });

  /** What was asked of the server, all in all. */
  async function requests(
    path: string,
    { files = plain, ...options }: HttpWaitOptions & { files?: string } = {},
  ): Promise<string[]> {
    await using box = await startContainer({
      image,
      command: ['node', '/server.cjs', '/files'],
      mounts: [
        { type: 'bind', source: process.execPath, target: '/usr/local/bin/node', readOnly: true },
        { type: 'bind', source: SERVER, target: '/server.cjs', readOnly: true },
        { type: 'bind', source: files, target: '/files', readOnly: true },
      ],
      stopTimeout: 0,
      waitFor: Wait.forHttp(path, PORT, options),
    });
    const lines: string[] = [];
    await box.kill('SIGTERM');
    for await (const { text } of box.logs({ follow: true })) lines.push(text);
    return lines;
  }

  test('an answer from 200 to 399 is enough, and a redirect is not followed', async () => {
    expect(await requests('/ok')).toEqual(['GET /ok']);
    expect(await requests('/redirect')).toEqual(['GET /redirect']);
  });

  test('another answer is not, and the next request is made', async () => {
    expect(await requests('/third-time')).toHaveLength(3);
  });

  test('a status, several, or a test of it', async () => {
    expect(await requests('/missing', { status: 404 })).toEqual(['GET /missing']);
    expect(await requests('/missing', { status: [403, 404] })).toEqual(['GET /missing']);
    expect(await requests('/third-time', { status: (status) => status < 500 })).toHaveLength(3);
    await expect(requests('/ok', { status: 201, timeout: 1000 })).rejects.toMatchObject({
      code: 'wait.timeout',
      message: expect.stringContaining('GET http://…:8080/ok to be answered; the answer was 200'),
    });
  });

  test('a test of the body', async () => {
    expect(await requests('/third-time', { body: (text) => text === 'asked 3 times' })).toHaveLength(3);
    await expect(requests('/ok', { body: () => false, timeout: 1000 })).rejects.toThrow(
      'the answer was 200 with another body: "all is well"',
    );
    expect(await requests('/endless', { body: (text) => text.length === 1 << 20 })).toEqual(['GET /endless']);
  });

  test('method, headers and basic authentication', async () => {
    const options = { method: 'POST', headers: { 'X-Test': 'yes' } };
    const body = (text: string) => text === 'POST yes';
    expect(await requests('/echo', { ...options, body })).toEqual(['POST /echo']);
    const auth = { username: 'ada', password: 's3cret' };
    expect(await requests('/private', { auth })).toEqual(['GET /private']);
    await expect(requests('/private', { timeout: 1000 })).rejects.toThrow('the answer was 401');
  });

  test('TLS with a certificate that the server has signed itself', async () => {
    expect(await requests('/ok', { files: secure, tls: { ca } })).toEqual(['GET /ok']);
    expect(await requests('/ok', { files: secure, tls: { ca: ca.toString() } })).toEqual(['GET /ok']);
    expect(await requests('/ok', { files: secure, tls: { insecure: true } })).toEqual(['GET /ok']);
  });

  test('TLS is not content with any certificate', async () => {
    const refused = (tls: HttpWaitOptions['tls']) =>
      requests('/ok', { files: secure, tls: tls!, timeout: 1000 });
    await expect(refused(true)).rejects.toThrow(/the request failed: .*self.signed certificate/);
    await expect(refused({ ca, servername: 'example.org' })).rejects.toThrow(/Host: example.org. is not in/);
  });

  test('a request without an answer is given up, and the wait keeps its deadline', async () => {
    const starting = requests('/never', { timeout: 1500, requestTimeout: 100 });
    await expect(starting).rejects.toThrow('there was no answer within 100 ms');
    await expect(requests('/never', { timeout: 1000, requestTimeout: '1h' })).rejects.toMatchObject({
      code: 'wait.timeout',
    });
  });

  test('nothing that listens is told as such, and nothing is left', async () => {
    const waitFor = Wait.forHttp('/', PORT, { timeout: 200 });
    await expect(startContainer({ image, waitFor })).rejects.toThrow(
      /the request failed: connect ECONNREFUSED/,
    );
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('the container’s end and an abort end it at once', async () => {
    const waitFor = Wait.forHttp('/', PORT);
    const dead = startContainer({ image, command: ['sh', '-c', 'echo broken; exit 3'], waitFor });
    await expect(dead).rejects.toMatchObject({ code: 'container.exited', exitCode: 3 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const starting = startContainer({ image, waitFor, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 100);
    await expect(starting).rejects.toBe(reason);
  });
});
