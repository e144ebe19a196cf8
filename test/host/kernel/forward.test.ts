import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { CLONE } from '../../../src/kernel/mounts/flags.ts';
import { closingAfter } from '../../../src/kernel/processes/pipe.ts';
import { FIRST_FREE_FD } from '../../../src/kernel/program/abi.ts';
import { flags, ProgramBuilder, struct } from '../../../src/kernel/program/builder.ts';
import { openShimBinary } from '../../../src/kernel/program/shim-binary.ts';
import { encodeEndpoint } from '../../../src/kernel/sockets/address.ts';
import { listenOn } from '../../../src/kernel/sockets/listen.ts';
import { PortAdoption } from '../../../src/networks/port-adoption.ts';
import { ShimProcess } from '../../../src/runtime/launch/shim-process.ts';
import { requires } from '../../requires.ts';

const RLIMIT_NOFILE = 7;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function listening(serve: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  cleanups.push(() => server.close());
  return { server, port: (server.address() as { port: number }).port };
}

/** A service, and a forwarder to it that is nobody's container's. Resolves with the forwarder's port. */
async function forwarded(
  serve: (socket: Socket) => void,
  { openFiles, adoption }: { openFiles?: number; adoption?: PortAdoption } = {},
): Promise<{ port: number; server: Server; shim: ShimProcess }> {
  const { server, port: service } = await listening(serve);
  const listener = listenOn({ host: '127.0.0.1', port: 0 });
  const program = new ProgramBuilder();
  const shim = program.section('shim', 'supervisor');
  const forwarder = program.section('forwarder', 'payload');
  shim.clone(forwarder, flags(CLONE));
  shim.call('close_range', [FIRST_FREE_FD, FIRST_FREE_FD + 1, 0]);
  if (openFiles !== undefined)
    forwarder.call('prlimit64', [0, RLIMIT_NOFILE, struct([openFiles, openFiles]), 0]);
  const address = encodeEndpoint({ host: '127.0.0.1', port: service });
  const options = adoption === undefined ? {} : { adoption: FIRST_FREE_FD + 1 };
  forwarder.forward([{ listener: FIRST_FREE_FD, address }], options);
  const running = closingAfter(
    [listener.fd],
    () =>
      new ShimProcess({
        binary: openShimBinary(),
        compile: () => program.build(),
        fds: {},
        passed: [listener.fd, ...(adoption === undefined ? [] : [adoption.theirs])],
        label: 'forward test',
      }),
  );
  cleanups.push(async () => {
    running.close();
    await running.exited;
  });
  await running.started;
  adoption?.launched();
  return { port: listener.port, server, shim: running };
}

/** All that comes until the end. Not as an async iterator, which closes both directions at the end of one. */
function buffer(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks)));
    socket.once('error', reject);
  });
}

/** Connects until that fails. */
async function refused(port: number): Promise<unknown> {
  for (;;) {
    const error = await new Promise<unknown>((resolve) => {
      const socket = dial(port);
      socket.once('error', resolve);
      socket.once('connect', () => {
        socket.destroy();
        resolve(undefined);
      });
    });
    if (error !== undefined) return error;
  }
}

const dial = (port: number) => connect({ host: '127.0.0.1', port, allowHalfOpen: true });

requires('gcc')('the forwarder', () => {
  test('moves megabytes there and back without losing a byte', async () => {
    const { port } = await forwarded((socket) => socket.pipe(socket));
    const sent = randomBytes(32 << 20);
    const socket = dial(port);
    const received = buffer(socket);
    socket.end(sent);
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(digest(await received)).toBe(digest(sent));
  });

  test('passes the end of one direction on and keeps the other open', async () => {
    const { port } = await forwarded(async (socket) => {
      const request = await buffer(socket);
      socket.end(`got ${request.length} bytes, then the end`);
    });
    const socket = dial(port);
    socket.end('question');
    expect((await buffer(socket)).toString()).toBe('got 8 bytes, then the end');
  });

  test('keeps hundreds of connections apart', async () => {
    const { port } = await forwarded((socket) => socket.pipe(socket));
    const numbers = Array.from({ length: 300 }, (_, i) => i);
    const sockets = numbers.map(() => dial(port));
    const answers = sockets.map((socket) => buffer(socket));
    for (const i of numbers) sockets[i]!.write(`${i} `);
    for (const i of numbers) sockets[i]!.end(String(i));
    expect((await Promise.all(answers)).map(String)).toEqual(numbers.map((i) => `${i} ${i}`));
  });

  test('holds a writer back whose reader does not read', async () => {
    let reader: Socket | undefined;
    const { port } = await forwarded((socket) => {
      reader = socket.pause();
    });
    const socket = dial(port);
    await new Promise((resolve) => socket.once('connect', resolve));
    const chunk = Buffer.alloc(1 << 20);
    const total = 256;
    let written = 0;
    // Whatever buffers there are on the way, they are far smaller than all of it.
    const pushed = (async () => {
      for (; written < total; written += 1)
        await new Promise<void>((resolve, reject) => socket.write(chunk, (e) => (e ? reject(e) : resolve())));
    })();
    // As long as anything moves, it does so within a few hundred turns of the event loop.
    for (let last = -1, turns = 0; turns < 2000; turns += 1) {
      if (written !== last || reader === undefined) turns = 0;
      last = written;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(total / 2);
    let read = 0;
    reader!.on('data', (data: Buffer) => {
      read += data.length;
    });
    reader!.resume();
    const ended = new Promise((resolve) => reader!.once('end', resolve));
    await pushed;
    socket.end();
    await ended;
    expect(read).toBe(total << 20);
    reader!.end();
  });

  test('resets the connection when nobody listens at the other end', async () => {
    const { port, server } = await forwarded(() => {});
    server.close();
    const error = await new Promise((resolve) => dial(port).once('error', resolve));
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('resets the client when the service resets', async () => {
    const { port } = await forwarded((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const socket = dial(port);
    socket.write('x');
    expect(await new Promise((resolve) => socket.once('error', resolve))).toMatchObject({
      code: 'ECONNRESET',
    });
  });

  test('serves the connections for which it has descriptors, and the others after them', async () => {
    // Room for about three: each takes six.
    const { port } = await forwarded((socket) => socket.pipe(socket), { openFiles: FIRST_FREE_FD + 22 });
    const sockets = Array.from({ length: 12 }, () => dial(port));
    const answers = sockets.map(async (socket, i) => {
      const answer = buffer(socket);
      socket.end(String(i));
      return (await answer.catch((error: Error) => error.message)).toString();
    });
    const results = await Promise.all(answers);
    // Who is accepted when a pipe cannot be had any more is reset; whoever still waits is served later.
    const served = results.filter((text, i) => text === String(i));
    expect(served.length).toBeGreaterThanOrEqual(3);
    expect(results.every((text, i) => text === String(i) || text.includes('ECONNRESET'))).toBe(true);
    const late = dial(port);
    const answer = buffer(late);
    late.end('late');
    expect((await answer).toString()).toBe('late');
  });

  test('takes other listeners in the place of its own, and serves them when it is told to', async () => {
    using adoption = new PortAdoption();
    const { port } = await forwarded((socket) => socket.pipe(socket), { adoption });
    const kept = dial(port);
    kept.write('before ');
    await new Promise((resolve) => kept.once('data', resolve));
    const other = await listening((socket) => socket.end('the other'));
    const listener = listenOn({ host: '127.0.0.1', port: 0 });
    const early = buffer(dial(listener.port));
    closingAfter([listener.fd], () =>
      adoption.offer({ listeners: [{ fd: listener.fd, container: other.port }] }, '127.0.0.1'),
    );
    expect(await refused(port)).toMatchObject({ code: 'ECONNREFUSED' });
    let answered = false;
    void early.then(() => {
      answered = true;
    });
    // As long as an answer could take.
    await buffer(dial(other.port));
    expect(answered).toBe(false);
    adoption.begin();
    expect((await early).toString()).toBe('the other');
    expect((await buffer(dial(listener.port))).toString()).toBe('the other');
    const rest = buffer(kept);
    kept.end('after');
    expect((await rest).toString()).toBe('after');
  });

  test('keeps its listeners when it is given no others, and ends when it is never told to serve those', async () => {
    const first = new PortAdoption();
    const { port } = await forwarded((socket) => socket.pipe(socket), { adoption: first });
    first[Symbol.dispose]();
    const socket = dial(port);
    const answer = buffer(socket);
    socket.end('still there');
    expect((await answer).toString()).toBe('still there');
    const second = new PortAdoption();
    await forwarded((socket) => socket.pipe(socket), { adoption: second });
    const listener = listenOn({ host: '127.0.0.1', port: 0 });
    closingAfter([listener.fd], () =>
      second.offer({ listeners: [{ fd: listener.fd, container: port }] }, '127.0.0.1'),
    );
    second[Symbol.dispose]();
    expect(await refused(listener.port)).toMatchObject({
      code: expect.stringMatching(/ECONNREFUSED|ECONNRESET/),
    });
  });

  test('ends with the shim, and then nobody listens', async () => {
    const { port, shim } = await forwarded((socket) => socket.pipe(socket));
    process.kill(shim.pid, 'SIGKILL');
    await shim.exited;
    expect(await refused(port)).toMatchObject({ code: expect.stringMatching(/ECONNREFUSED|ECONNRESET/) });
  });
});
