import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, definePreset, MayflyError, type PresetStart, Wait } from 'mayfly';

/** Options of the `postgres` preset. All are optional to the caller. */
export interface PostgresOptions {
  /** Superuser. Default: `postgres`. */
  readonly user: string;
  /** Default: `postgres`; the container is private to this process and its host. */
  readonly password: string;
  /** Database that is created and that `url` names. Default: the user's name. */
  readonly database: string;
  /** Arguments to initdb. Default: small WAL segments, UTF-8, no locale, no flush to disk. */
  readonly initdbArgs: readonly string[];
  /** Server settings, as `-c name=value`. Added to settings that trade durability for speed. */
  readonly config: Readonly<Record<string, string | number | boolean>>;
  /** SQL that runs once in the new database; its effect is part of what the boot cache keeps. */
  readonly initSql: string | readonly string[];
}

/** What the handle of a `postgres` container has beyond a container's. */
export interface PostgresExtras {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const PORT = 5432;
const DEBIAN_VERSION = 15;
/** Settings of extensions have a dot in their names. */
const SETTING = /^[a-z_][a-z0-9_.]*$/i;
const READY = /database system is ready to accept connections/;

/** A 1 MiB segment is copied up in a millisecond when a container starts on the cached layer; a 16 MiB one is not. */
const INITDB_ARGS = ['--wal-segsize=1', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];

/** A test's database does not outlive the machine, so nothing is ever flushed. */
const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** The program itself: what comes before it on PATH is Debian's wrapper, for which a Perl starts first. */
const PSQL = 'PATH=/usr/lib/postgresql/$PG_MAJOR/bin:$PATH; exec psql "$@"';

/** A real PostgreSQL: the official image, or Debian's packages where no registry can be reached. */
export const postgres = definePreset<PostgresOptions, PostgresExtras>({
  name: 'postgres',
  description: 'PostgreSQL 17, a relational database',
  version: 1,
  image: {
    reference: 'postgres:17',
    recipe: {
      packages: [`postgresql-${DEBIAN_VERSION}`, 'libc-bin'],
      // Debian's package would make a cluster of its own, as root's init would.
      before:
        'mkdir -p /etc/postgresql-common && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf',
      after: [
        'mkdir -p /docker-entrypoint-initdb.d',
        'install -d -o postgres -g postgres -m 3777 /var/run/postgresql',
        // As in the official image: a server in a container that listens on its loopback only is of no use.
        `sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" /usr/share/postgresql/${DEBIAN_VERSION}/postgresql.conf.sample`,
      ].join('\n'),
      files: {
        '/usr/local/bin/docker-entrypoint.sh': {
          content: readFileSync(join(import.meta.dirname, 'docker-entrypoint.sh'), 'utf8'),
          mode: 0o755,
        },
      },
      config: {
        Env: [
          `PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/${DEBIAN_VERSION}/bin`,
          'LANG=C.UTF-8',
          `PG_MAJOR=${DEBIAN_VERSION}`,
          'PGDATA=/var/lib/postgresql/data',
        ],
        Entrypoint: ['docker-entrypoint.sh'],
        Cmd: ['postgres'],
        ExposedPorts: { [`${PORT}/tcp`]: {} },
        Volumes: { '/var/lib/postgresql/data': {} },
        // Fast shutdown: SIGTERM would wait for every client to leave.
        StopSignal: 'SIGINT',
      },
    },
  },
  resolve,
  start: (options) => ({
    command: ['postgres', ...settings(options)],
    env: environment(options),
    ports: [PORT],
    // The entrypoint starts a server of its own first, which says the same.
    waitFor: Wait.forLogMessage(READY, { times: 2 }),
    stopTimeout: '60s',
  }),
  initialise: async (container, options) => {
    for (const sql of [options.initSql].flat()) await psql(container, { options, sql });
  },
  quiesce: (container, options) => psql(container, { options, sql: 'CHECKPOINT' }),
  // The first connection after a start reads the catalogues into memory, and writes down what the next ones read. The second one opens
  // the indexes that all others open, too, which copies them up.
  warm: (container, options) =>
    psql(container, { options, sql: 'select count(*) from pg_class;\n\\connect\nselect 1' }),
  boot: {
    key: ({ user, password, database, initdbArgs, initSql }) => [
      user,
      password,
      database,
      initdbArgs,
      initSql,
    ],
    // The data directory is there, so the server itself is all that has to be started.
    start: (options): PresetStart => ({
      entrypoint: [],
      command: ['postgres', ...settings(options)],
      env: environment(options),
      user: 'postgres',
      ports: [PORT],
      waitFor: Wait.forLogMessage(READY),
    }),
  },
  extras: (container, { user, password, database }) => ({
    url: `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${container.host}:${PORT}/${encodeURIComponent(database)}`,
    user,
    password,
    database,
  }),
});

function resolve(given: Partial<PostgresOptions>): PostgresOptions {
  const user = given.user ?? 'postgres';
  const options = {
    user,
    password: given.password ?? 'postgres',
    database: given.database ?? user,
    initdbArgs: given.initdbArgs ?? INITDB_ARGS,
    config: given.config ?? {},
    initSql: given.initSql ?? [],
  };
  for (const name of ['user', 'password', 'database'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '')
      throw invalid(`${name} must be a string that is not empty`);
  }
  if (!Array.isArray(options.initdbArgs) || !options.initdbArgs.every((word) => typeof word === 'string'))
    throw invalid('initdbArgs must be a list of strings');
  if (![options.initSql].flat().every((sql) => typeof sql === 'string'))
    throw invalid('initSql must be a string or a list of strings');
  for (const [name, value] of Object.entries(options.config)) {
    if (!SETTING.test(name) || !['string', 'number', 'boolean'].includes(typeof value))
      throw invalid(`config.${name} must be a setting with a string, a number or a boolean`);
  }
  return options;
}

function invalid(what: string): MayflyError {
  return new MayflyError('option.invalid', `postgres: ${what}`, { hint: 'correct it' });
}

function environment({ user, password, database, initdbArgs }: PostgresOptions): Record<string, string> {
  const quoted = initdbArgs.map((argument) => `'${argument.replaceAll("'", `'\\''`)}'`).join(' ');
  return {
    POSTGRES_USER: user,
    POSTGRES_PASSWORD: password,
    POSTGRES_DB: database,
    POSTGRES_INITDB_ARGS: quoted,
  };
}

function settings({ config }: PostgresOptions): string[] {
  return Object.entries({ ...FAST, ...config }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function psql(
  container: Container,
  { options, sql }: { options: PostgresOptions; sql: string },
): Promise<void> {
  const { user, password, database } = options;
  const result = await container.exec(
    [
      'sh',
      '-c',
      PSQL,
      'psql',
      '--no-psqlrc',
      '--set=ON_ERROR_STOP=1',
      '--quiet',
      `--username=${user}`,
      `--dbname=${database}`,
    ],
    { stdin: sql, user: 'postgres', env: { PGPASSWORD: password } },
  );
  if (result.exitCode === 0) return;
  throw new MayflyError(
    'preset.sql-failed',
    `postgres: psql exited with ${result.exitCode}: ${result.stderr.trim()}`,
    {
      hint: 'correct initSql',
    },
  );
}

declare module 'mayfly' {
  interface Presets {
    postgres: typeof postgres;
  }
}
