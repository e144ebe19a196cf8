import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Container, startContainer } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('exec with streams', () => {
  let box: Container;
  beforeAll(async () => {
    box = await startContainer({ image: await debian(), command: ['sleep', 'infinity'], stopTimeout: 0 });
  });
  afterAll(() => box.stop());

  test('is a dialogue: what is written is answered while the command runs', async () => {
    await using cat = await box.execStream([
      'sh',
      '-c',
      'while read -r line; do echo "got $line"; done; exit 5',
    ]);
    for (const word of ['one', 'two']) {
      cat.stdin.write(`${word}\n`);
      expect(String((await once(cat.stdout, 'data'))[0])).toBe(`got ${word}\n`);
    }
    cat.stdin.end();
    expect(await cat.exited).toEqual({ exitCode: 5 });
  });

  test('takes its input from a string, bytes or a stream, and keeps the two outputs apart', async () => {
    for (const stdin of ['input', Buffer.from('input'), Readable.from(['in', 'put'])]) {
      await using run = await box.execStream(['sh', '-c', 'cat; echo err >&2'], { stdin });
      expect(await Promise.all([text(run.stdout), text(run.stderr)])).toEqual(['input', 'err\n']);
    }
  });

  test('a command waits while nobody takes what it writes, and loses nothing of it', async () => {
    const script = 'head -c 3000000 /dev/zero; echo written > /done';
    await using run = await box.execStream(['sh', '-c', script], { stdin: '' });
    expect((await box.exec(['test', '-e', '/done'])).exitCode).toBe(1);
    let bytes = 0;
    for await (const chunk of run.stdout) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(3_000_000);
    expect(await run.exited).toEqual({ exitCode: 0 });
  });

  test('can be killed, by a signal of choice, by an AbortSignal and by the end of its block', async () => {
    const trap = ['sh', '-c', 'trap "exit 9" INT; echo armed; while :; do sleep 0.01; done'];
    const run = await box.execStream(trap);
    await once(run.stdout, 'data');
    run.kill('SIGINT');
    expect((await run.exited).exitCode).toBe(9);
    const controller = new AbortController();
    const aborted = await box.execStream(['sleep', '100'], { signal: controller.signal });
    controller.abort();
    expect((await aborted.exited).exitCode).toBe(137);
    let exited: typeof run.exited;
    {
      await using sleep = await box.execStream(['sleep', '100']);
      exited = sleep.exited;
    }
    expect((await exited).exitCode).toBe(137);
  });

  test('a command that is not there, and a signal that has come already', async () => {
    await expect(box.execStream(['nosuch'])).rejects.toMatchObject({ code: 'container.command-not-found' });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(box.execStream(['true'], { signal })).rejects.toThrow('enough');
  });
});
