import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { getContainer, listContainers, startContainer } from '../../../src/index.ts';
import { mayfly as runCli } from '../../fixtures/cli.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

const IMAGE = 'test/debian:bookworm';
const mayfly = (...words: string[]) => runCli(words, { env: { MAYFLY_HOME: TEST_HOME } });

/** What a script says in a container of these options. */
async function inside(options: readonly string[], script: string): Promise<string> {
  const result = await mayfly('run', '--rm', ...options, IMAGE, 'sh', '-c', script);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return result.stdout;
}

requires('root', 'mmdebstrap')('the options of run', () => {
  let scratch: string;
  beforeAll(async () => {
    await debian();
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-flags-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));
  afterEach(async () => {
    for (const { id } of await listContainers({ all: true }))
      await (await getContainer(id)).remove({ force: true });
    await expectNoLeaks(TEST_HOME);
  });

  test('privileges: capabilities, no-new-privileges, seccomp, ulimits, sysctls, groups, a private user namespace', async () => {
    const caps = 'grep -E "CapBnd|NoNewPrivs|Seccomp:" /proc/self/status | tr -d "\\t" | tr "\\n" " "';
    const options = [
      '--cap-drop',
      'ALL',
      '--cap-add',
      'NET_ADMIN',
      '--security-opt',
      'no-new-privileges',
      '--security-opt',
      'seccomp=unconfined',
    ];
    expect(await inside(options, caps)).toBe('CapBnd:0000000000001000 NoNewPrivs:1 Seccomp:0 ');
    expect(
      await inside(
        [
          '--ulimit',
          'nofile=123:456',
          '--ulimit',
          'core=0',
          '--sysctl',
          'net.core.somaxconn=777',
          '--group-add',
          '4321',
          '--group-add',
          'audio',
        ],
        'ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/sys/net/core/somaxconn; id -G',
      ),
    ).toBe('123\n456\n0\n777\n0 29 4321');
    expect(await inside(['--privileged'], 'mount -t tmpfs none /mnt && echo mounted')).toBe('mounted');
    expect(
      await inside(
        ['--userns', 'private'],
        'id -u; test $(cut -c 11-21 /proc/self/uid_map) -gt 0 && echo mapped',
      ),
    ).toBe('0\nmapped');
  });

  test('sharing: --ipc and --pid of another container', async () => {
    await using _other = await startContainer({
      image: IMAGE,
      name: 'other',
      command: ['sh', '-c', 'touch /dev/shm/shared; exec sleep 1000'],
      stopTimeout: 0,
    });
    expect(await inside(['--ipc', 'container:other'], 'ls /dev/shm')).toBe('shared');
    const { exitCode, stderr } = await mayfly('run', '--rm', '--pid', 'host', IMAGE, 'true');
    expect([exitCode, stderr]).toEqual([
      125,
      'mayfly: --pid=host is not supported\n  hint: there are: private, container:NAME',
    ]);
  });

  test('files: --mount, --tmpfs, --read-only, --shm-size, --storage-opt, --device', async () => {
    writeFileSync(join(scratch, 'file'), 'from the host');
    const options = [
      '--mount',
      `type=bind,source=${scratch},target=/data,readonly`,
      '--mount',
      'type=tmpfs,dst=/memory,tmpfs-size=1m,tmpfs-mode=700',
      '--tmpfs',
      '/more:size=2m',
      '--read-only',
      '--shm-size',
      '3m',
    ];
    expect(
      await inside(
        options,
        'cat /data/file; echo; touch /data/x 2>/dev/null || echo ro; touch /x 2>/dev/null || echo root ro; stat -c %a /memory; df -k --output=size /memory /more /dev/shm | tail -n 3 | tr -d " "',
      ),
    ).toBe('from the host\nro\nroot ro\n700\n1024\n2048\n3072');
    expect(
      await inside(['--storage-opt', 'size=5m'], 'head -c 9m /dev/zero > /big 2>/dev/null || echo full'),
    ).toBe('full');
    expect(await inside(['--device', '/dev/zero:/dev/my:r'], 'head -c 2 /dev/my | wc -c')).toBe('2');
    expect((await mayfly('run', '--mount', 'type=volume,target=/x', IMAGE)).exitCode).toBe(125);
  });

  test('surroundings: --add-host, --hostname, --env-file, --label-file, --entrypoint, --workdir, --user, --cidfile', async () => {
    const [envFile, labelFile, cidfile] = ['env', 'labels', 'cid'].map((name) => join(scratch, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(envFile, '# a comment\nA=1\n\nB=from file\n');
    writeFileSync(labelFile, 'team=db\n');
    const options = [
      '--add-host',
      'db.test:10.1.2.3',
      '-h',
      'box',
      '--env-file',
      envFile,
      '-e',
      'B=2',
      '-w',
      '/srv/new',
      '-u',
      'nobody',
    ];
    expect(await inside(options, 'grep db.test /etc/hosts; hostname; echo "$A $B"; pwd; id -un')).toBe(
      '10.1.2.3\tdb.test\nbox\n1 2\n/srv/new\nnobody',
    );
    const { stdout } = await mayfly(
      'run',
      '-d',
      '--cidfile',
      cidfile,
      '--label-file',
      labelFile,
      '-l',
      'x=y',
      '--entrypoint',
      'sleep',
      IMAGE,
      '1000',
    );
    expect(readFileSync(cidfile, 'utf8')).toBe(stdout);
    expect(await listContainers()).toMatchObject([
      { labels: { team: 'db', x: 'y' }, command: ['sleep', '1000'] },
    ]);
    const again = await mayfly('run', '-d', '--cidfile', cidfile, IMAGE, 'true');
    expect([again.exitCode, await listContainers()]).toEqual([125, [expect.anything()]]);
  });

  test('life: --stop-signal, --stop-timeout, --health-*, --no-healthcheck, --restart, and limits as inspect shows them', async () => {
    const options = [
      '--stop-signal',
      'USR1',
      '--stop-timeout',
      '7',
      '--health-cmd',
      'true',
      '--health-interval',
      '5s',
      '--health-retries',
      '2',
      '--memory',
      '64m',
      '--memory-reservation',
      '32m',
      '--cpus',
      '0.5',
      '--cpuset-cpus',
      '0',
      '--pids-limit',
      '50',
      '--log-opt',
      'max-size=1m',
    ];
    await mayfly('create', '--name', 'box', ...options, IMAGE, 'sleep', '1000');
    await using box = await getContainer('box');
    const { HostConfig } = await box.inspect();
    expect(HostConfig).toMatchObject({
      Memory: 64 << 20,
      MemoryReservation: 32 << 20,
      NanoCpus: 5e8,
      CpusetCpus: '0',
      PidsLimit: 50,
    });
    expect(box.parts.record.options).toMatchObject({
      stopSignal: 'USR1',
      stopTimeout: 7000,
      healthCheck: { test: 'true', interval: '5s', retries: 2 },
      logLimit: '1m',
    });
    const refused = await mayfly('run', '--restart', 'always', IMAGE, 'true');
    expect([refused.exitCode, refused.stderr]).toEqual([125, expect.stringContaining('no daemon')]);
    expect((await mayfly('run', '--no-healthcheck', '--health-cmd', 'true', IMAGE)).exitCode).toBe(125);
  });

  test('ports: -P publishes what is exposed', async () => {
    await mayfly('run', '-d', '-P', '--expose', '1234', '--name', 'box', IMAGE, 'sleep', '1000');
    expect((await mayfly('port', 'box', '1234')).stdout).toMatch(/^127\.0\.0\.1:\d+/);
  });

  test.each([
    '--dns=1.1.1.1',
    '--link=db',
    '--gpus=all',
    '--network-alias=db',
    '--ip=10.0.0.9',
    '--oom-kill-disable',
    '--uts=host',
    '--volumes-from=x',
  ])('%s is refused with a word on what there is instead', async (option) => {
    const { exitCode, stderr } = await mayfly('run', option, IMAGE, 'true');
    expect([exitCode, stderr]).toEqual([
      125,
      expect.stringMatching(/^mayfly: --[a-z-]+ is not supported\n {2}hint: \w/),
    ]);
  });

  test('a command line that is refused leaves no file behind', async () => {
    const cidfile = join(scratch, 'no-cid');
    expect((await mayfly('run', '--cidfile', cidfile, '--restart', 'always', IMAGE)).exitCode).toBe(125);
    expect(existsSync(cidfile)).toBe(false);
  });
});
