import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { publishPorts } from '../../../src/networks/publish.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A port that somebody has, on one address only. */
async function takenPort(host: string): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  return (server.address() as { port: number }).port;
}

test('a port of the kernel’s choice is the same on both loopback addresses', () => {
  using publication = publishPorts([{ container: 80, host: 0, hostIp: undefined }]);
  expect(publication.ports).toEqual([
    { container: 80, host: expect.any(Number), hostIps: ['127.0.0.1', '::1'] },
  ]);
  expect(publication.listeners.map(({ container }) => container)).toEqual([80, 80]);
});

test.each(['127.0.0.1', '::1'])(
  'a port that is taken on %s is an error that says so, and nothing stays open',
  async (host) => {
    const port = await takenPort(host);
    const free = publishPorts([{ container: 1, host: 0, hostIp: undefined }]);
    const other = free.ports[0]!.host;
    free[Symbol.dispose]();
    const both = [
      { container: 1, host: other, hostIp: undefined },
      { container: 2, host: port, hostIp: undefined },
    ];
    expect(() => publishPorts(both)).toThrow(
      expect.objectContaining({
        code: 'network.port-taken',
        message: expect.stringContaining(
          `port ${port} of ${host}, wanted for port 2 of the container, is taken`,
        ),
      }),
    );
    publishPorts([{ container: 1, host: other, hostIp: undefined }])[Symbol.dispose]();
  },
);

test('an address that the machine does not have is an error', () => {
  expect(() => publishPorts([{ container: 80, host: 0, hostIp: '192.0.2.1' }])).toThrow(
    expect.objectContaining({ code: 'network.no-such-address' }),
  );
});
