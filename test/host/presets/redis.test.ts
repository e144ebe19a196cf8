import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redis } from '../../../presets/redis/index.ts';
import { openEngine } from '../../../src/containers/engine.ts';
import { type Container, type Image, startContainer, Wait } from '../../../src/index.ts';
import { findImage } from '../../../src/presets/image-source.ts';
import { presetContract } from '../../contract/preset-contract.ts';
import { TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

async function command(url: string, ...words: string[]): Promise<unknown> {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false, connectTimeout: 2000 } });
  // What goes wrong is told by the call that it happens to.
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.sendCommand(words);
  } finally {
    client.destroy();
  }
}

presetContract({
  name: 'redis',
  port: 6379,
  start: (options) => startContainer('redis', options),
  startWithPassword: (password) => startContainer('redis', { password }),
  client: {
    put: async (url, value) => void (await command(url, 'SET', 'key', value)),
    get: async (url) => ((await command(url, 'GET', 'key')) as string | null) ?? undefined,
  },
  command: { argv: ['redis-cli', 'PING'], prints: /^PONG$/m },
  logs: /Ready to accept connections/,
  badOptions: [
    { password: '' },
    { config: { port: 7000 } },
    { config: { requirepass: 'x' } },
    { config: { 'max memory': 1 } },
    { config: { maxmemory: null } },
    { initCommands: [1] },
  ],
  dying: { options: { config: { maxmemory: 'a lot' } }, says: /argument must be a memory value/ },
});

requires('root', 'mmdebstrap')('the preset redis', () => {
  const logOf = async (container: Container) => {
    const lines: string[] = [];
    for await (const { text } of container.logs()) lines.push(text);
    return lines.join('\n');
  };

  test('settings of every kind', async () => {
    await using service = await startContainer('redis', {
      config: {
        databases: 3,
        maxmemory: '64mb',
        appendonly: true,
        save: [3600, 1],
      },
    });
    const setting = async (name: string) => command(service.url, 'CONFIG', 'GET', name);
    expect(await setting('databases')).toEqual(['databases', '3']);
    expect(await setting('maxmemory')).toEqual(['maxmemory', String(64 << 20)]);
    expect(await setting('appendonly')).toEqual(['appendonly', 'yes']);
    expect(await setting('save')).toEqual(['save', '3600 1']);
  });

  test('unless told to, it writes nothing to disk', async () => {
    await using service = await startContainer('redis');
    expect(await command(service.url, 'CONFIG', 'GET', 'save')).toEqual(['save', '']);
  });

  test('initial data is stored once, and every container begins with it', async () => {
    const initCommands = ['SET greeting "hello world"', 'RPUSH list 1 2 3', 'SELECT 2', 'SET there yes'];
    for (let start = 1; start <= 2; start += 1) {
      await using service = await startContainer('redis', { initCommands, password: `p${start}` });
      expect(service.url).toBe(`redis://:p${start}@${service.host}:6379`);
      expect(await command(service.url, 'GET', 'greeting')).toBe('hello world');
      expect(await command(service.url, 'LLEN', 'list')).toBe(3);
      expect(await command(`${service.url}/2`, 'GET', 'there')).toBe('yes');
      // From the layer that the cache keeps, not by commands.
      expect(await logOf(service)).toContain('DB loaded from disk');
      await command(service.url, 'DEL', 'greeting');
    }
    await using uncached = await startContainer('redis', { initCommands, cache: false });
    expect(await command(uncached.url, 'GET', 'greeting')).toBe('hello world');
    expect(await logOf(uncached)).not.toContain('DB loaded from disk');
  });

  test.each([true, false])('a wrong command is an error of its own, with the cache %s', async (cache) => {
    const initCommands = 'SET a 1\nNONSENSE a\nSET b 2';
    await expect(startContainer('redis', { initCommands, cache })).rejects.toMatchObject({
      code: 'preset.command-failed',
      message: expect.stringMatching(/unknown command 'NONSENSE'/),
    });
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('data outlives the container on a directory of the host', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mayfly-redis-'));
    const options = {
      config: { appendonly: true },
      mounts: [{ type: 'bind', source: directory, target: '/data' }],
    } as const;
    for (const expected of [null, 'kept']) {
      await using service = await startContainer('redis', options);
      expect(await command(service.url, 'GET', 'key')).toBe(expected);
      await command(service.url, 'SET', 'key', 'kept');
    }
    rmSync(directory, { recursive: true });
  });
});

requires('root', 'mmdebstrap')('the recipe’s entrypoint does what that of the official image does', () => {
  let image: Image;
  let scratch: string;
  beforeAll(async () => {
    image = await findImage(openEngine(), { preset: redis, signal: undefined });
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-redis-entrypoint-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  const READY = Wait.forLogMessage('Ready to accept connections');
  const urlOf = ({ host }: Container) => `redis://${host}:6379`;

  test('without arguments it serves others, as the user redis, in /data', async () => {
    await using box = await startContainer({ image, waitFor: READY });
    expect(box.ports).toEqual([6379]);
    expect(await command(urlOf(box), 'PING')).toBe('PONG');
    const script =
      'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = redis-server ] && stat -c %U $p && readlink $p/cwd; done';
    expect((await box.exec(['sh', '-c', script], { user: 'redis' })).stdout).toBe('redis\n/data\n');
  });

  test('settings alone are the server’s', async () => {
    await using box = await startContainer({ image, command: ['--requirepass', 'x'], waitFor: READY });
    await expect(command(urlOf(box), 'PING')).rejects.toThrow(/NOAUTH/);
  });

  test('a configuration file is read, and what it says of protected mode holds', async () => {
    const start = (content: string) => {
      writeFileSync(join(scratch, 'redis.conf'), content);
      const mounts = [{ type: 'bind', source: join(scratch, 'redis.conf'), target: '/etc/my.conf' }] as const;
      return startContainer({ image, command: ['/etc/my.conf'], mounts, waitFor: READY });
    };
    await using open = await start('databases 5\n');
    expect(await command(urlOf(open), 'CONFIG', 'GET', 'databases')).toEqual(['databases', '5']);
    await using closed = await start('protected-mode yes\n');
    await expect(command(urlOf(closed), 'PING')).rejects.toThrow(/DENIED|closed|ECONNRESET/);
  });

  test('other commands run as they are', async () => {
    const waitFor = Wait.forExit();
    await using version = await startContainer({ image, command: ['redis-server', '--version'], waitFor });
    for await (const { text } of version.logs()) expect(text).toMatch(/^Redis server v=\d/);
    await using echo = await startContainer({ image, command: ['id', '-un'], waitFor });
    for await (const { text } of echo.logs()) expect(text).toBe('root');
  });
});
