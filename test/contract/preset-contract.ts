import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommonOptions, Container } from '../../src/index.ts';
import { TEST_HOME } from '../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../fixtures/leaks.ts';
import { requires } from '../requires.ts';

type Service = Container & { readonly url: string };

/** A preset and what its users would do with it. */
export interface PresetSubject {
  readonly name: string;
  readonly port: number;
  start(options?: CommonOptions & { cache?: boolean }): Promise<Service>;
  /** The same, with a password. */
  startWithPassword(password: string): Promise<Service>;
  /** A real client, on a connection of its own for each call. */
  readonly client: {
    put(url: string, value: string): Promise<void>;
    /** Undefined when nothing was put. */
    get(url: string): Promise<string | undefined>;
  };
  /** A command that the container has, and what it prints. */
  readonly command: { readonly argv: readonly string[]; readonly prints: RegExp };
  /** What its log says when it is ready. */
  readonly logs: RegExp;
  /** Each is refused before anything starts. */
  readonly badOptions: readonly object[];
  /** Options of its own with which the service gives up while it starts, and what it says then. */
  readonly dying: { readonly options: object; readonly says: RegExp };
}

/** What every preset promises. */
export function presetContract(subject: PresetSubject): void {
  const { name, port, client, start, startWithPassword, command, logs, badOptions, dying } = subject;

  requires('root', 'mmdebstrap')(`the contract of presets, kept by ${name}`, () => {
    let scratch: string;
    let one: Service;
    beforeAll(async () => {
      scratch = mkdtempSync(join(tmpdir(), 'mayfly-preset-'));
      // A service may run as another user than root.
      chmodSync(scratch, 0o755);
      one = await start();
    });
    afterAll(async () => {
      rmSync(scratch, { recursive: true });
      await one?.stop();
    });

    test('its URL, host and port lead to it', async () => {
      const { hostname, port: urlPort } = new URL(one.url);
      expect([hostname, Number(urlPort)]).toEqual([one.host, one.port]);
      expect(one.port).toBe(port);
      await client.put(one.url, 'kept');
      expect(await client.get(one.url)).toBe('kept');
    });

    test('another one beside it is separate, and so is the next', async () => {
      await client.put(one.url, 'mine');
      for (let i = 0; i < 2; i += 1) {
        await using other = await start();
        expect(await client.get(other.url)).toBeUndefined();
        await client.put(other.url, 'theirs');
        expect(await client.get(other.url)).toBe('theirs');
      }
      expect(await client.get(one.url)).toBe('mine');
    });

    test('three that are started at once are three', async () => {
      const services = await Promise.all([start(), start(), start()]);
      try {
        await Promise.all(services.map(({ url }, i) => client.put(url, String(i))));
        expect(await Promise.all(services.map(({ url }) => client.get(url)))).toEqual(['0', '1', '2']);
      } finally {
        await Promise.all(services.map((service) => service.stop()));
      }
    });

    test.each(['simple', 's3cr:t/@ "ü\\ --$(x)'])('the password %s is asked for', async (password) => {
      await using service = await startWithPassword(password);
      const withPassword = (other: string) => {
        const url = new URL(service.url);
        url.password = encodeURIComponent(other);
        return url.href;
      };
      expect(decodeURIComponent(new URL(service.url).password)).toBe(password);
      await client.put(service.url, 'secret');
      expect(await client.get(service.url)).toBe('secret');
      await expect(client.get(withPassword('wrong'))).rejects.toThrow();
      await expect(client.get(withPassword(''))).rejects.toThrow();
    });

    test('exec and logs work as in any container', async () => {
      const { exitCode, stdout } = await one.exec(command.argv);
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(command.prints) });
      const lines: string[] = [];
      for await (const { text } of one.logs()) lines.push(text);
      expect(lines.join('\n')).toMatch(logs);
    });

    test('the caller’s environment, mounts, labels, limits and names are honoured', async () => {
      writeFileSync(join(scratch, 'note'), 'from the host');
      await using service = await start({
        name: `contract-${name}`,
        env: { FLAVOUR: 'salt' },
        labels: { purpose: 'contract' },
        memory: '512m',
        cpus: 1,
        pids: 200,
        mounts: [
          { type: 'bind', source: scratch, target: '/from-host', readOnly: true },
          { type: 'tmpfs', target: '/scratch', size: '1m' },
        ],
      });
      const script = 'echo $FLAVOUR; cat /from-host/note; echo; stat -f -c %T /scratch';
      expect((await service.exec(['sh', '-c', script])).stdout).toBe('salt\nfrom the host\ntmpfs\n');
      const { Name, Config, HostConfig } = await service.inspect();
      expect(Name).toBe(`/contract-${name}`);
      expect(Config.Labels).toMatchObject({ purpose: 'contract' });
      expect(HostConfig).toMatchObject({ Memory: 512 << 20, NanoCpus: 1e9, PidsLimit: 200 });
      await client.put(service.url, 'x');
    });

    test('without the cache it works the same', async () => {
      await using service = await start({ cache: false });
      expect(await client.get(service.url)).toBeUndefined();
      await client.put(service.url, 'x');
      expect(await client.get(service.url)).toBe('x');
    });

    test.each([...badOptions, { nonsense: 1 }, { memory: 'much' }])('%j is refused', async (options) => {
      await expect(start(options)).rejects.toMatchObject({ code: 'option.invalid' });
    });

    test('when the service gives up while it starts, the error has its words', async () => {
      const error = await start(dying.options).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'container.exited', message: expect.stringMatching(dying.says) });
    });

    test('a start that is aborted throws the reason', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const starting = start({ signal: controller.signal });
      setImmediate(() => controller.abort(reason));
      await expect(starting).rejects.toBe(reason);
    });

    test('a stop leaves nothing, not even of what failed before', async () => {
      const { url } = one;
      await one.stop();
      await expect(client.get(url)).rejects.toThrow();
      await expectNoLeaks(TEST_HOME);
      expect(leftOnDisk(TEST_HOME)).toEqual([]);
    });
  });
}
