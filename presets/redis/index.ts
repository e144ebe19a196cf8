import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, definePreset, MayflyError, type PresetStart, Wait } from 'mayfly';
import { configArgument, configArguments, type RedisConfig } from './config.ts';

/** Options of the `redis` preset. All are optional to the caller. */
export interface RedisOptions {
  /** Asked of every client. Default: none. */
  readonly password: string | undefined;
  /**
   * Settings by their names in redis.conf: `{ databases: 32, maxmemory: '64mb', save: [3600, 1] }`. Default: nothing is written to
   * disk. The password has an option of its own, and the port stays 6379.
   */
  readonly config: RedisConfig;
  /**
   * Lines for redis-cli that run once, such as `SET greeting "hello world"`; what they store is kept by the boot cache. The first
   * that fails is the error `preset.command-failed`.
   */
  readonly initCommands: string | readonly string[];
}

/** What the handle of a `redis` container has beyond a container's. */
export interface RedisExtras {
  /** `redis://host:port`, `redis://:password@host:port` */
  readonly url: string;
  readonly password: string | undefined;
}

const PORT = 6379;

/** A real Redis: the official image, or Debian's package where no registry can be reached. */
export const redis = definePreset<RedisOptions, RedisExtras>({
  name: 'redis',
  description: 'Redis 7, a store of keys and values in memory',
  version: 1,
  image: {
    reference: 'redis:7',
    recipe: {
      packages: ['redis-server'],
      after: 'install -d -o redis -g redis -m 755 /data',
      files: {
        '/usr/local/bin/docker-entrypoint.sh': {
          content: readFileSync(join(import.meta.dirname, 'docker-entrypoint.sh'), 'utf8'),
          mode: 0o755,
        },
      },
      config: {
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        Entrypoint: ['docker-entrypoint.sh'],
        Cmd: ['redis-server'],
        WorkingDir: '/data',
        ExposedPorts: { [`${PORT}/tcp`]: {} },
        Volumes: { '/data': {} },
      },
    },
  },
  resolve,
  start,
  initialise: async (container, { initCommands, password }) => {
    const lines = [initCommands].flat().join('\n');
    if (lines !== '')
      await redisCli(container, { stdin: `${lines}\n`, password, hint: 'correct initCommands' });
  },
  quiesce: (container, { password }) =>
    redisCli(container, { stdin: 'SAVE\n', password, hint: 'see the log of the server' }),
  boot: {
    // A server without data has nothing to initialise.
    key: ({ initCommands, config }) =>
      [initCommands].flat().join('') === '' ? undefined : [initCommands, config],
    start,
  },
  extras: (container, { password }) => ({
    url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}${container.host}:${PORT}`,
    password,
  }),
});

function resolve({ password, config = {}, initCommands = [] }: Partial<RedisOptions>): RedisOptions {
  if (password !== undefined && (typeof password !== 'string' || password === '')) {
    throw new MayflyError('option.invalid', 'redis: password must be a string that is not empty', {
      hint: 'leave it out to have none',
    });
  }
  if (![initCommands].flat().every((line) => typeof line === 'string')) {
    throw new MayflyError('option.invalid', 'redis: initCommands must be a string or a list of strings');
  }
  // What is wrong with a setting is said before anything starts.
  configArguments(config);
  return { password, config, initCommands };
}

function start({ password, config }: RedisOptions): PresetStart {
  const settings = configArguments({ save: '', ...config });
  if (password !== undefined) settings.push(configArgument('requirepass', password));
  const ping = Wait.forCommand(['redis-cli', '-e', 'PING'], { env: credentials(password) });
  return {
    command: ['redis-server', '--protected-mode', 'no', ...settings],
    ports: [PORT],
    // The port is open while data is still being loaded, and then PING is refused.
    waitFor: Wait.forAll([Wait.forListeningPorts([PORT]), ping]),
  };
}

/** REDISCLI_AUTH keeps the password out of the process list. */
function credentials(password: string | undefined): Record<string, string> {
  return password === undefined ? {} : { REDISCLI_AUTH: password };
}

interface Commands {
  /** One a line. */
  readonly stdin: string;
  readonly password: string | undefined;
  readonly hint: string;
}

/** Replies are written as for a person, because otherwise an error looks like any text; nor does its exit code tell. */
async function redisCli(container: Container, { stdin, password, hint }: Commands): Promise<void> {
  const { exitCode, stdout, stderr } = await container.exec(['redis-cli', '--no-raw'], {
    stdin,
    env: credentials(password),
  });
  const refused = /^(?:\s*\d+\) )*(?:\(error\) |(?=Invalid argument\(s\)$))(.*)$/m.exec(stdout)?.[1];
  if (exitCode === 0 && refused === undefined) return;
  const said = refused ?? (stderr.trim() || `redis-cli exited with ${exitCode}`);
  throw new MayflyError('preset.command-failed', `redis: ${said}`, { hint });
}

declare module 'mayfly' {
  interface Presets {
    redis: typeof redis;
  }
}
