import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import { type ContainerOptions, type Image, startContainer, Wait } from '../../../src/index.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

requires('root', 'mmdebstrap')('options of a container', () => {
  let image: Image;
  let scratch: string;
  beforeAll(async () => {
    image = await debian();
    scratch = mkdtempSync(join(tmpdir(), 'mayfly-options-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  /** What a shell script prints as the container's own process. */
  async function output(script: string, options: Partial<ContainerOptions> = {}): Promise<string> {
    await using box = await startContainer({
      image,
      command: ['sh', '-c', `exec 2>&1; ${script}; echo; echo END; sleep 100`],
      stopTimeout: 0,
      waitFor: Wait.forLogMessage(/^END$/),
      ...options,
    });
    const lines: string[] = [];
    for await (const { text } of box.logs()) lines.push(text);
    return lines.slice(0, -1).join('\n').trim();
  }

  test('user, environment and directory', async () => {
    const options = { user: 'www-data:tty', env: { A: '1', PATH: '/bin' }, cwd: '/made/for/it' };
    expect(await output('id -un; id -gn; echo $A $PATH $HOME; pwd', options)).toBe(
      'www-data\ntty\n1 /bin /var/www\n/made/for/it',
    );
  });

  test('a user of the image that is no name is refused before anything starts', async () => {
    await expect(output('true', { user: 'nosuchuser' })).rejects.toMatchObject({
      code: 'option.unknown-user',
    });
  });

  test('a directory of the host, writable and read-only, and a single file', async () => {
    writeFileSync(join(scratch, 'file'), 'from the host');
    const mounts = [
      { type: 'bind', source: scratch, target: '/data' },
      { type: 'bind', source: scratch, target: '/fixed', readOnly: true },
      { type: 'bind', source: join(scratch, 'file'), target: '/etc/one-file' },
    ] as const;
    expect(
      await output('cat /data/file /etc/one-file; echo x > /data/new; echo x > /fixed/new', { mounts }),
    ).toMatch(/from the hostfrom the host\n?.*Read-only file system/s);
  });

  test('a bind over a link in the image stays inside the container', async () => {
    // /var/run is a link to /run in Debian.
    const mounts = [{ type: 'bind', source: scratch, target: '/var/run/deep/down' }] as const;
    expect(await output('grep -c " /run/deep/down " /proc/self/mountinfo', { mounts })).toBe('1');
  });

  test('a tmpfs of a size', async () => {
    const mounts = [{ type: 'tmpfs', target: '/scratch', size: '1m', mode: 0o700 }] as const;
    expect(
      await output(
        'stat -c %a /scratch; df -k --output=size /scratch | tail -1; head -c 2m /dev/zero > /scratch/f',
        { mounts },
      ),
    ).toMatch(/^700\n\s*1024\n.*No space left/s);
  });

  test('the size of /dev/shm', async () => {
    expect(await output('df -k --output=size /dev/shm | tail -1', { shmSize: '1m' })).toContain('1024');
  });

  test('a VOLUME of the image lies in the overlay', async () => {
    const withVolume = { ...image, config: { ...image.config, Volumes: { '/opt': {} } } };
    expect(
      await output('echo kept > /opt/f; grep -c " /opt " /proc/self/mountinfo', { image: withVolume }),
    ).toBe('0');
  });

  test('entrypoint and command go together as in Docker', async () => {
    const configured = { ...image, config: { Entrypoint: ['echo', 'from'], Cmd: ['image'] } };
    const said = async (options: Partial<ContainerOptions>) => {
      await using box = await startContainer({ image: configured, ...options });
      for await (const { text } of box.logs({ follow: true })) return text;
      return undefined;
    };
    expect(await said({})).toBe('from image');
    expect(await said({ command: ['me'] })).toBe('from me');
    await expect(said({ entrypoint: [] })).rejects.toMatchObject({ code: 'container.no-command' });
  });

  test('without our init the image’s process is PID 1, in namespaces of its own', async () => {
    expect(await output('echo $$; ls -d /proc/[0-9]* | head -1', { init: false })).toBe('1\n/proc/1');
  });

  test('exec reaches a container without our init too', async () => {
    await using box = await startContainer({ image, init: false, command: ['sleep', '100'], stopTimeout: 0 });
    expect((await box.exec(['sh', '-c', 'tr "\\0" " " < /proc/1/cmdline'])).stdout).toBe('sleep 100 ');
  });

  test('our init reaps what is orphaned and passes signals on', async () => {
    const script = 'trap "echo got it; exit 5" USR1; (sleep 0 &); echo armed; while :; do sleep 0.01; done';
    const waitFor = Wait.forLogMessage('armed');
    await using box = await startContainer({ image, command: ['sh', '-c', script], waitFor });
    await box.kill('SIGUSR1');
    const lines: string[] = [];
    for await (const { text } of box.logs({ follow: true })) lines.push(text);
    expect(lines).toEqual(['armed', 'got it']);
    expect((await box.inspect()).State).toMatchObject({ Running: false, ExitCode: 5, Pid: 0 });
  });

  test('120 layers fit one mount', async () => {
    const { layers } = openEngine().images;
    const tar = await import('tar-stream');
    const stack = [...image.layers];
    for (let i = 0; i < 119; i += 1) {
      const pack = tar.pack();
      pack.entry({ name: `layer-${i}` }, String(i));
      pack.finalize();
      const { Readable } = await import('node:stream');
      stack.push(await layers.importTar(Readable.from(pack as AsyncIterable<Buffer>)));
    }
    expect(
      await output('cat /layer-0 /layer-118; echo; ls / | grep -c ^layer-', {
        image: { ...image, layers: stack },
      }),
    ).toBe('0118\n119');
  });

  test('without a network there is the loopback only', async () => {
    expect(await output('ls /sys/class/net; cat /sys/class/net/lo/operstate', { network: 'none' })).toBe(
      'lo\nunknown',
    );
  });

  test('the network of the host', async () => {
    const seen = await output('readlink /proc/self/ns/net', { network: 'host' });
    expect(seen).toBe(readlinkSync('/proc/self/ns/net'));
    expect(await output('readlink /proc/self/ns/net')).not.toBe(seen);
  });
});
