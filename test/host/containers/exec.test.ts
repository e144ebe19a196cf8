import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Container, startContainer } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('exec', () => {
  let box: Container;
  beforeAll(async () => {
    box = await startContainer({
      image: await debian(),
      command: ['sleep', 'infinity'],
      env: { FROM: 'container' },
      stopTimeout: 0,
    });
  });
  afterAll(() => box.stop());

  test('output of both streams and a code that is not 0 are a result', async () => {
    expect(await box.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      truncated: false,
    });
  });

  test('user, environment and directory', async () => {
    const { stdout } = await box.exec(['sh', '-c', 'id -u; echo $FROM $MORE $HOME; pwd'], {
      user: 'nobody',
      env: { MORE: 'exec' },
      cwd: '/usr',
    });
    expect(stdout).toBe('65534\ncontainer exec /nonexistent\n/usr\n');
  });

  test('stdin from a string, bytes and a stream; end of file without', async () => {
    const cat = async (stdin?: string | Uint8Array | Readable) =>
      (await box.exec(['cat'], stdin === undefined ? {} : { stdin })).stdout;
    expect(await cat('text')).toBe('text');
    expect(await cat(Buffer.from('bytes'))).toBe('bytes');
    expect(await cat(Readable.from(['a ', 'stream']))).toBe('a stream');
    expect(await cat()).toBe('');
  });

  test('a megabyte comes through whole', async () => {
    const megabyte = 'x'.repeat(1 << 20);
    expect((await box.exec(['cat'], { stdin: megabyte })).stdout).toBe(megabyte);
  });

  test('output beyond the limit is dropped and the result says so', async () => {
    const result = await box.exec(['sh', '-c', 'yes | head -c 50000000'], { maxOutput: 1000 });
    expect(result).toMatchObject({ exitCode: 0, truncated: true });
    expect(result.stdout.length).toBe(1000);
  });

  test('a command that was killed has the code of its signal', async () => {
    expect((await box.exec(['sh', '-c', 'kill -9 $$'])).exitCode).toBe(137);
  });

  test('a command that takes too long is killed', async () => {
    await expect(box.exec(['sh', '-c', 'echo busy; sleep 100'], { timeout: 100 })).rejects.toMatchObject({
      code: 'exec.timeout',
    });
    await expect
      .poll(
        async () =>
          (await box.exec(['sh', '-c', 'pgrep -c "^sleep" || ls -d /proc/[0-9]* | wc -l'])).exitCode,
      )
      .toBe(0);
  });

  test('a signal ends it', async () => {
    const controller = new AbortController();
    const running = box.exec(['sleep', '100'], { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  test('a daemon that it leaves behind does not hold it up', async () => {
    expect((await box.exec(['sh', '-c', 'sleep 100 & echo left'])).stdout).toBe('left\n');
  });

  test('a command that is not there, and one that cannot be run', async () => {
    await expect(box.exec(['nosuch'])).rejects.toMatchObject({
      code: 'container.command-not-found',
      exitCode: 127,
    });
    await expect(box.exec(['/nosuch'])).rejects.toMatchObject({
      code: 'container.command-not-found',
      exitCode: 127,
    });
    await expect(box.exec(['/etc/passwd'])).rejects.toMatchObject({
      code: 'container.command-not-executable',
      exitCode: 126,
    });
    await expect(box.exec(['/etc'])).rejects.toMatchObject({
      code: 'container.command-not-executable',
      exitCode: 126,
    });
    await expect(box.exec([])).rejects.toMatchObject({ code: 'option.invalid' });
  });

  test('a working directory that leads out by a descriptor leads nowhere', async () => {
    for (const fd of [3, 5, 9, 15, 16, 17, 20]) {
      await expect(box.exec(['pwd'], { cwd: `/proc/self/fd/${fd}` })).rejects.toMatchObject({
        code: 'kernel.program',
      });
    }
  });

  test('many at once', async () => {
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => box.exec(['echo', String(i)])));
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(results.map((_, i) => String(i)));
  });
});
