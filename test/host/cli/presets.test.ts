import { createClient } from 'redis';
import { afterEach, expect, test } from 'vitest';
import { mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const env = { MAYFLY_HOME: TEST_HOME, MAYFLY_IMAGES: 'recipe' };
const mayfly = (...words: string[]) => runCli(words, { env });

test('presets lists what can be run by name', async () => {
  const { stdout } = await mayfly('presets');
  const [heading, ...rows] = stdout.split('\n');
  expect(heading).toMatch(/^NAME +IMAGE +PORTS +DESCRIPTION$/);
  expect(rows).toContainEqual(expect.stringMatching(/^postgres +postgres:17 +5432\/tcp +PostgreSQL 17, /));
  expect(rows).toContainEqual(expect.stringMatching(/^redis +redis:7 +6379\/tcp +Redis 7, /));
  expect((await mayfly('presets', '-q')).stdout.split('\n')).toEqual(rows.map((row) => row.split(' ')[0]));
});

requires('root', 'mmdebstrap')('run and the name of a preset', () => {
  afterEach(async () => {
    const names = (await mayfly('ps', '-aq')).stdout.split('\n').filter(Boolean);
    if (names.length > 0) expect(await mayfly('rm', '-f', ...names)).toMatchObject({ exitCode: 0 });
    await expectNoLeaks(TEST_HOME);
  });

  test('starts the service, ready, and says where it is', async () => {
    const { exitCode, stdout, stderr } = await mayfly('run', '-d', '--name', 'cache', 'redis');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const url = stderr.split('\n').at(-1)!;
    expect(url).toMatch(/^redis:\/\/[\d.]+:6379$/);
    const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2000 } });
    await client.connect();
    expect(await client.ping()).toBe('PONG');
    client.destroy();
    expect((await mayfly('ps', '--format', '{{.Names}} {{.State}}')).stdout).toBe('cache running');
  });

  test('is the name of an image where there is a command, or an image of that name', async () => {
    const asked = await mayfly('run', '--rm', '--pull', 'never', 'redis', 'redis-server', '--version');
    expect(asked).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('no image "redis"'),
    });
    await debian();
    expect(await mayfly('tag', 'test/debian:bookworm', 'redis')).toMatchObject({ exitCode: 0 });
    try {
      expect(await mayfly('run', '-d', 'redis')).toMatchObject({ exitCode: 0, stderr: '' });
      expect((await mayfly('ps', '--format', '{{.Command}}')).stdout).toBe('"sleep infinity"');
    } finally {
      await mayfly('rmi', '-f', 'redis');
    }
  });
});

requires('root', 'mmdebstrap')('networks', () => {
  afterEach(async () => {
    await mayfly('rm', '-f', 'member');
    await expectNoLeaks(TEST_HOME);
  });

  test('are listed and described, with who is on them', async () => {
    await debian();
    const [heading, ...rows] = (await mayfly('network', 'ls')).stdout.split('\n');
    expect(heading).toMatch(/^NETWORK ID +NAME +DRIVER +SCOPE$/);
    expect(rows.map((row) => row.split(/ +/))).toEqual([
      ['default', 'default', 'bridge', 'local'],
      ['host', 'host', 'host', 'local'],
      ['none', 'none', 'null', 'local'],
    ]);
    const id = (await mayfly('run', '-d', '--name', 'member', 'test/debian:bookworm')).stdout;
    const [info, other] = JSON.parse((await mayfly('network', 'inspect', 'default', 'none')).stdout) as [
      { IPAM: { Config: { Subnet: string; Gateway: string }[] }; Containers: object },
      { Containers: object },
    ];
    const [{ Subnet, Gateway }] = info.IPAM.Config as [{ Subnet: string; Gateway: string }];
    expect(Subnet).toMatch(/^10\.\d+\.\d+\.0\/20$/);
    expect(Gateway).toBe(Subnet.replace(/0\/20$/, '1'));
    const ip = (await mayfly('inspect', '-f', '{{.NetworkSettings.Networks.default.IPAddress}}', 'member'))
      .stdout;
    expect(info.Containers).toMatchObject({ [id]: { Name: 'member', IPv4Address: `${ip}/20` } });
    expect(other.Containers).toEqual({});
  });

  test.each([
    ['create mine', "networks of one's own yet"],
    ['rm default', 'cannot be removed'],
    ['rm mine', 'there is no network "mine"'],
    ['inspect mine', 'there is no network "mine"'],
    ['connect default member', 'a container stays where it was started'],
    ['disconnect default member', 'a container stays where it was started'],
  ])('%s fails, and says why', async (words, why) => {
    const result = await mayfly('network', ...words.split(' '));
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(why) });
  });
});
