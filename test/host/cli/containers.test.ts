import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { deadlineIn, poll } from '../../../src/support/deadline.ts';
import { FROM_SOURCE, mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const env = { MAYFLY_HOME: TEST_HOME };
const mayfly = (...words: string[]) => runCli(words, { env });

/** Runs a command line that has to succeed. */
async function ok(...words: string[]): Promise<string> {
  const result = await mayfly(...words);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return result.stdout;
}

/** What a server says to who calls it, once it is there. */
function greeting(address: string): Promise<string> {
  const [host, port] = address.split(':');
  const call = async () => {
    const said: Buffer[] = [];
    for await (const bytes of connect({ host: host!, port: Number(port) })) said.push(bytes as Buffer);
    return Buffer.concat(said).toString() || undefined;
  };
  return poll(() => call().catch(() => undefined), { deadline: deadlineIn(30_000), what: 'the server' });
}

requires('root', 'mmdebstrap')('containers on the command line', () => {
  let scratch: string;
  beforeAll(async () => {
    await debian();
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-cli-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));
  afterEach(async () => {
    const names = (await ok('ps', '-aq')).split('\n').filter(Boolean);
    if (names.length > 0) await ok('rm', '-f', ...names);
    // Namespaces of a dozen processes, which the kernel takes apart one after the other.
    await expectNoLeaks(TEST_HOME);
  });

  test('run shows what the container writes, and ends with its exit code', async () => {
    const script = 'echo out; echo err >&2; printf "%s" "$GREETING"; exit 3';
    const options = ['--rm', '-e', 'GREETING=hello world', '-w', '/tmp', '-h', 'box'];
    expect(await mayfly('run', ...options, IMAGE, 'sh', '-c', script)).toEqual({
      exitCode: 3,
      stdout: 'out\nhello world',
      stderr: 'err',
    });
    expect(await ok('ps', '-aq')).toBe('');
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });

  test('exit codes say who failed: the container, its command, or mayfly', async () => {
    const run = async (...words: string[]) => (await mayfly('run', '--rm', ...words)).exitCode;
    expect(await run(IMAGE, 'sh', '-c', 'kill -TERM $$')).toBe(143);
    expect(await run(IMAGE, 'no-such-command')).toBe(127);
    expect(await run(IMAGE, '/etc/passwd')).toBe(126);
    expect(await run('--pull', 'never', 'no/such:image', 'true')).toBe(125);
    expect(await run('-m', 'much', IMAGE, 'true')).toBe(125);
    expect(await run('--no-such-option', IMAGE, 'true')).toBe(125);
    expect(await run('--dns', '1.1.1.1', IMAGE, 'true')).toBe(125);
  });

  test('options after the image belong to the command', async () => {
    expect(await ok('run', '--rm', IMAGE, 'echo', '-e', '--rm')).toBe('--rm');
  });

  test('a path of the host can be mounted', async () => {
    writeFileSync(join(scratch, 'file'), 'from the host\n');
    expect(await ok('run', '--rm', '-v', `${scratch}:/data:ro`, IMAGE, 'cat', '/data/file')).toBe(
      'from the host',
    );
    const { stderr, exitCode } = await mayfly('run', '--rm', '-v', 'named:/data', IMAGE, 'true');
    expect({ stderr, exitCode }).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('volumes have no names'),
    });
  });

  test('a detached container goes on without us: looked at, used, ended and removed by others', async () => {
    const id = await ok(
      'run',
      '-d',
      '--name',
      'cli',
      '-l',
      'a=b',
      IMAGE,
      'sh',
      '-c',
      'echo started; sleep infinity',
    );
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const [heading, row] = (await ok('ps')).split('\n');
    expect(heading).toMatch(/^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
    expect(row).toMatch(
      new RegExp(`^${id.slice(0, 12)} {3}${IMAGE} {3}"sh -c 'echo started…" +.* ago {3}Up .* cli$`),
    );
    expect(await ok('ps', '--format', '{{.ID}} {{.Names}} {{.Labels}} {{.State}}')).toBe(
      `${id.slice(0, 12)} cli a=b running`,
    );
    expect(JSON.parse(await ok('ps', '--format', 'json', '--no-trunc'))).toMatchObject({
      ID: id,
      Image: IMAGE,
    });
    expect(await ok('ps', '-q', '-f', 'name=nothing')).toBe('');
    expect(await ok('ps', '-q', '-f', 'label=a=b', '-f', 'status=running')).toBe(id.slice(0, 12));
  });

  test('a command runs in a container that another process has started', async () => {
    const id = await ok('run', '-d', '--name', 'cli', IMAGE, 'sh', '-c', 'echo started; sleep infinity');
    expect(await ok('exec', 'cli', 'hostname')).toBe(id.slice(0, 12));
    expect(
      await mayfly('exec', '-e', 'X=y', '-u', 'nobody', 'cli', 'sh', '-c', 'id -un; echo $X >&2; exit 4'),
    ).toEqual({ exitCode: 4, stdout: 'nobody', stderr: 'y' });
    const piped = await execa(FROM_SOURCE[0]!, [...FROM_SOURCE.slice(1), 'exec', '-i', 'cli', 'wc', '-c'], {
      env,
      input: 'x'.repeat(1 << 20),
    });
    expect(piped.stdout).toBe(String(1 << 20));
    expect(await mayfly('exec', 'cli', 'no-such-command')).toMatchObject({ exitCode: 127 });
  });

  test('what a container has written and what is known of it can be asked for', async () => {
    const id = await ok('run', '-d', '--name', 'cli', IMAGE, 'sh', '-c', 'echo started; sleep infinity');
    expect(await ok('logs', 'cli')).toBe('started');
    expect(await ok('logs', '-t', '--tail', '1', 'cli')).toMatch(/^\d{4}-.*Z started$/);
    expect(await ok('logs', '--since', '2100-01-01T00:00:00Z', 'cli')).toBe('');

    expect(await ok('inspect', '-f', '{{.State.Status}} {{json .Config.Cmd}}', 'cli')).toBe(
      `running ["sh","-c","echo started; sleep infinity"]`,
    );
    expect(JSON.parse(await ok('inspect', 'cli', IMAGE))).toMatchObject([
      { Id: id },
      { RepoTags: [`docker.io/${IMAGE}`] },
    ]);
  });

  test('a container is paused, killed, started, stopped and removed', async () => {
    const id = await ok('run', '-d', '--name', 'cli', IMAGE, 'sh', '-c', 'echo started; sleep infinity');
    expect(await ok('pause', 'cli')).toBe('cli');
    expect(await ok('ps', '--format', '{{.Status}}')).toMatch(/^Up .* \(Paused\)$/);
    expect(await ok('unpause', 'cli')).toBe('cli');
    expect(await mayfly('rm', 'cli')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is running'),
    });

    expect(await ok('kill', '-s', 'KILL', 'cli')).toBe('cli');
    expect(await ok('wait', 'cli')).toBe('137');
    expect(await ok('ps', '-a', '--format', '{{.Status}}')).toMatch(/^Exited \(137\) .* ago$/);
    expect(await ok('ps', '-lq')).toBe(id.slice(0, 12));
    expect(await ok('start', 'cli')).toBe('cli');
    expect(await ok('restart', '-t', '0', 'cli')).toBe('cli');
    expect(await ok('stop', '-t', '0', id.slice(0, 6))).toBe(id.slice(0, 6));
    expect(await ok('rm', 'cli')).toBe('cli');
    expect(await ok('ps', '-a')).toBe(
      'CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES',
    );
  });

  test('a container without --rm is kept when it has ended', async () => {
    expect(await ok('run', '--name', 'kept', IMAGE, 'echo', 'once')).toBe('once');
    expect(await ok('logs', 'kept')).toBe('once');
    expect(await ok('ps', '-a', '--format', '{{.Names}} {{.Status}}')).toMatch(/^kept Exited \(0\) /);
  });

  test('signals are passed on to the container', async () => {
    const script = 'trap "echo caught; exit 5" TERM; echo ready; while :; do sleep 0.05; done';
    const child = spawn(
      FROM_SOURCE[0]!,
      [...FROM_SOURCE.slice(1), 'run', '--rm', IMAGE, 'sh', '-c', script],
      {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let stdout = '';
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes;
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await poll(() => (stdout.includes('ready') ? true : undefined), {
      deadline: deadlineIn(30_000),
      what: 'the container',
    });
    child.kill('SIGTERM');
    expect(await exited).toBe(5);
    expect(stdout).toBe('ready\ncaught\n');
  });

  test('a published port is reached on the host, and shown', async () => {
    // A server that says one thing to everybody, in what Debian's smallest set has.
    const server =
      'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(80, INADDR_ANY)) or die; listen(S, 5);' +
      ' while (accept(C, S)) { syswrite(C, "hello"); close(C) }';
    await ok('run', '-d', '--name', 'cli', '-p', '127.0.0.1::80', IMAGE, 'perl', '-e', server);
    const address = await ok('port', 'cli', '80');
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await greeting(address)).toBe('hello');
    expect(await ok('port', 'cli')).toBe(`80/tcp -> ${address}`);
    expect(await ok('ps', '--format', '{{.Ports}}')).toBe(`${address}->80/tcp`);
    expect(await mayfly('port', 'cli', '81')).toMatchObject({ exitCode: 1 });
  });

  test('limits can be given, changed and watched', async () => {
    await ok('run', '-d', '--name', 'cli', '-m', '64m', '--pids-limit', '50', IMAGE, 'sleep', 'infinity');
    await ok('update', '-m', '128m', 'cli');
    expect(await ok('inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}', 'cli')).toBe(
      `${128 << 20} 50`,
    );
    expect(await mayfly('update', 'cli')).toMatchObject({ exitCode: 125 });
    const [heading, row] = (await ok('stats', '--no-stream')).split('\n');
    expect(heading).toMatch(
      /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/,
    );
    expect(row).toMatch(/ cli +\d+\.\d\d% +\S+ \/ 128MiB +\d+\.\d\d% +\S+ \/ \S+ +\S+ \/ \S+ +[12]$/);
  });

  test('what does not exist is named, and the others are done all the same', async () => {
    await ok('run', '-d', '--name', 'cli', IMAGE, 'sleep', 'infinity');
    const result = await mayfly('rm', '-f', 'nobody', 'cli');
    expect(result).toMatchObject({ exitCode: 1, stdout: 'cli' });
    expect(result.stderr).toMatch(/^mayfly: .*nobody/);
    expect(await mayfly('logs', 'nobody')).toMatchObject({ exitCode: 1, stdout: '' });
  });

  test('images are listed, named, saved, loaded and removed', async () => {
    const archive = join(scratch, 'image.tar');
    const [heading, ...rows] = (await ok('images')).split('\n');
    expect(heading).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
    expect(rows.join('\n')).toMatch(/^test\/debian +bookworm +[0-9a-f]{12} .*MB$/m);
    expect(await ok('images', '-q', IMAGE)).toMatch(/^[0-9a-f]{12}$/);
    await ok('tag', IMAGE, 'test/cli:1');
    await ok('save', '-o', archive, 'test/cli:1');
    expect(await ok('rmi', 'test/cli:1')).toBe('Untagged: docker.io/test/cli:1');
    expect(await mayfly('inspect', 'test/cli:1')).toMatchObject({ exitCode: 1, stdout: '[]' });
    expect(await ok('load', '-i', archive)).toBe('Loaded image: docker.io/test/cli:1');
    expect(await ok('images', '--format', '{{.Repository}}:{{.Tag}}', 'test/cli')).toBe('test/cli:1');
    await ok('rmi', 'test/cli:1');
    expect(await mayfly('rmi', 'test/cli:1')).toMatchObject({ exitCode: 1 });
  });
});
