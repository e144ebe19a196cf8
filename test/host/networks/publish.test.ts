import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startContainer, Wait } from '../../../src/index.ts';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { GREETER } from '../../fixtures/greeter.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const greet = async (port: number, host = '127.0.0.1') => (await buffer(connect({ host, port }))).toString();
const refused = (port: number) =>
  greet(port).then(
    () => undefined,
    (error: unknown) => error,
  );

requires('root', 'mmdebstrap')('published ports', () => {
  beforeAll(async () => void (await debian()));
  afterAll(() => expectNoLeaks(TEST_HOME));

  test('lead into the container from both loopback addresses, and inspect tells of them as Docker does', async () => {
    await using box = await startContainer({
      image: 'test/debian:bookworm',
      command: GREETER,
      ports: [{ container: 80 }],
      waitFor: Wait.forListeningPorts(),
    });
    expect(box.host).toBe('127.0.0.1');
    expect(box.getMappedPort(80)).toBe(box.port);
    expect([await greet(box.port), await greet(box.port, '::1')]).toEqual(['hello\n', 'hello\n']);
    // Directly as well, as root can.
    expect(await greet(80, box.ipAddress)).toBe('hello\n');
    const HostPort = String(box.port);
    expect((await box.inspect()).NetworkSettings.Ports).toEqual({
      '80/tcp': [
        { HostIp: '127.0.0.1', HostPort },
        { HostIp: '::1', HostPort },
      ],
    });
  });

  test('a port that is wanted is had, on the address that is wanted, and it is free again afterwards', async () => {
    const port = await (async () => {
      await using any = await startContainer({ image: 'test/debian:bookworm', ports: [{ container: 80 }] });
      return any.port;
    })();
    await using box = await startContainer({
      image: 'test/debian:bookworm',
      command: GREETER,
      ports: [{ container: 80, host: port, hostIp: '127.0.0.2' }],
      waitFor: Wait.forListeningPorts(),
    });
    expect([box.host, box.port]).toEqual(['127.0.0.2', port]);
    expect(await greet(port, '127.0.0.2')).toBe('hello\n');
    expect(await refused(port)).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('without one of them given as an object, ports are the container’s own', async () => {
    await using box = await startContainer({ image: 'test/debian:bookworm', ports: [80] });
    expect([box.host, box.port, box.getMappedPort(80)]).toEqual([box.ipAddress, 80, 80]);
    expect((await box.inspect()).NetworkSettings.Ports).toEqual({ '80/tcp': [] });
  });

  test('a port that somebody has is an error before anything runs, and nothing is left', async () => {
    await using box = await startContainer({ image: 'test/debian:bookworm', ports: [{ container: 80 }] });
    const before = leftOnDisk(TEST_HOME);
    const start = startContainer({
      image: 'test/debian:bookworm',
      ports: [{ container: 80, host: box.port }],
    });
    await expect(start).rejects.toMatchObject({ code: 'network.port-taken' });
    expect(leftOnDisk(TEST_HOME)).toEqual(before);
    expect(() => box.getMappedPort(81)).toThrow(expect.objectContaining({ code: 'container.no-port' }));
  });

  test('go with a container whose supervisor is killed', async () => {
    const box = await startContainer({ image: 'test/debian:bookworm', ports: [{ container: 80 }] });
    process.kill(box.parts.record.shimPid, 'SIGKILL');
    const gone = async () => ((await refused(box.port)) === undefined ? undefined : true);
    await poll(gone, { deadline: deadlineIn(5000), what: 'the port to be free' });
    await box.stop();
  });
});
