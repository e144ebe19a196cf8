import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deferred } from '../../../src/support/deferred.ts';
import { mayfly } from '../../fixtures/cli.ts';
import { type RealRegistry, startDockerRegistry } from '../../fixtures/registry/docker-registry.ts';
import { type FaultProxy, startFaultProxy } from '../../fixtures/registry/fault-proxy.ts';
import { imageOf, layerOf, tarOf, writeLayout } from '../../fixtures/registry/image-layout.ts';
import { skopeoCopy } from '../../fixtures/registry/skopeo.ts';
import { Tmux } from '../../fixtures/tmux.ts';
import { requires } from '../../requires.ts';

/** What does not get smaller by compression, so that there is something to see. */
const layers = ['a', 'b', 'c'].map((name) =>
  layerOf(tarOf({ name, type: 'file', content: randomBytes(1 << 20) })),
);
const BAR = /^ {2}[0-9a-f]{12} {2}download {2}\[=+ +\] [\d.]+ KiB of 1\.0 MiB$/m;

requires(
  'root',
  'docker-registry',
  'skopeo',
  'tmux',
)('progress of a transfer', () => {
  let registry: RealRegistry;
  let proxy: FaultProxy;
  let directory: string;
  let reference: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'mayfly-progress-'));
    registry = await startDockerRegistry();
    proxy = await startFaultProxy(registry.host);
    writeLayout(join(directory, 'layout'), { image: [imageOf(layers)] });
    await skopeoCopy(`oci:${join(directory, 'layout')}:image`, `docker://${registry.host}/app:1`);
    reference = `${proxy.host}/app:1`;
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  test('on a terminal each layer has a line with a bar, which goes when all is there', async () => {
    const release = deferred<void>();
    proxy.fault(
      /^GET .*\/blobs\//,
      async ({ response, upstream }) => {
        const { status, headers, body } = await upstream();
        response.writeHead(status, headers);
        response.write(body.subarray(0, body.length / 2));
        if (body.length > 1 << 19) await release.promise;
        response.end(body.subarray(body.length / 2));
      },
      10,
    );
    await using terminal = await Tmux.start(join(directory, 'home'));
    await terminal.type(`mayfly pull ${reference}; echo "exit $?"`);
    await terminal.sees(new RegExp(`(${BAR.source}\n?){3}`));
    release.resolve();
    const after = await terminal.sees(/^exit \d$/m);
    expect(after).toMatch(/^mayfly: pull \S+app:1 {2}\d+\.\d s {2}3 layers {2}3\.0 MiB$/m);
    expect(after).not.toMatch(BAR);
    expect(after).toMatch(/^exit 0$/m);
    expect(after.split('\n').filter((line) => line.includes('app:1'))).toHaveLength(3);
  });

  test('elsewhere there is a line at the end, without escapes, and none with --quiet', async () => {
    proxy.clear();
    const home = (name: string) => ({ env: { MAYFLY_HOME: join(directory, name), NO_COLOR: '1' } });
    const pulled = await mayfly(['pull', reference], home('plain'));
    expect(pulled).toEqual({
      exitCode: 0,
      stdout: reference,
      stderr: expect.stringMatching(/^mayfly: pull \S+ {2}\d+\.\d s {2}3 layers {2}3\.0 MiB$/),
    });
    const other = `${registry.host}/other:1`;
    expect(await mayfly(['tag', reference, other], home('plain'))).toMatchObject({ exitCode: 0 });
    const pushed = await mayfly(['push', other], home('plain'));
    expect(pushed).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^1: digest: sha256:[0-9a-f]{64}$/),
      stderr: expect.stringMatching(/^mayfly: push \S+ {2}\d+\.\d s {2}3 layers {2}3\.0 MiB$/),
    });
    const quiet = await mayfly(['pull', '-q', reference], home('quiet'));
    expect(quiet).toEqual({ exitCode: 0, stdout: reference, stderr: '' });
  });

  test('a transfer that fails says so in its line', async () => {
    proxy.fault(/^GET .*\/blobs\//, ({ response }) => response.writeHead(403).end(), 1000);
    const { exitCode, stderr } = await mayfly(['pull', reference], {
      env: { MAYFLY_HOME: join(directory, 'failed') },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('answered 403');
  });
});
