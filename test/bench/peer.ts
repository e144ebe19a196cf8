import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { milliseconds } from './sample.ts';

/** In which a daemon that has answered does the rest, so that the round of ours that comes next does not pay for it. */
export const PEER_SETTLE = 500;

/** The same work through the testcontainers package. Milliseconds. */
export interface Peer {
  round(): Promise<{ start: number; exec: number; stop: number }>;
  postgres(): Promise<number>;
  /** With `seed` in it; a sample changes it by `change` between the two. */
  seededPostgres(seed: string, change: string): Promise<SeededPeer>;
}

/** A PostgreSQL whose states are kept as the module of testcontainers for it does: as databases, copied from a template. */
export interface SeededPeer extends AsyncDisposable {
  sample(): Promise<{ snapshot: number; restore: number }>;
}

/** Undefined where no Docker engine answers at DOCKER_HOST. */
export async function connectPeer(): Promise<Peer | undefined> {
  if (process.env.DOCKER_HOST === undefined) return undefined;
  const { failed } = await execa('docker', ['version', '--format', '{{.Server.Version}}'], { reject: false });
  if (failed) return undefined;
  const { GenericContainer, Wait } = await import('testcontainers');
  const definition = () => new GenericContainer('debian:bookworm-slim').withCommand(['sleep', '1000']);
  return {
    async round() {
      const begin = performance.now();
      const container = await definition().start();
      const start = performance.now() - begin;
      const exec = await milliseconds(() => container.exec(['true']));
      const stop = await milliseconds(() => container.stop());
      await delay(PEER_SETTLE);
      return { start, exec, stop };
    },
    async postgres() {
      const { default: pg } = await import('pg');
      const begin = performance.now();
      const container = await new GenericContainer('postgres:17')
        .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
        .withExposedPorts(5432)
        .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
        .start();
      const client = new pg.Client({
        host: container.getHost(),
        port: container.getMappedPort(5432),
        user: 'postgres',
        password: 'postgres',
      });
      await client.connect();
      await client.query('select 1');
      const time = performance.now() - begin;
      await client.end();
      await container.stop();
      await delay(PEER_SETTLE);
      return time;
    },
    async seededPostgres(seed, change) {
      const container = await new GenericContainer('postgres:17')
        .withEnvironment({ POSTGRES_PASSWORD: 'postgres', POSTGRES_DB: 'seeded' })
        .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
        .start();
      const sql = async (database: string, ...commands: string[]) => {
        const argv = [
          'psql',
          '-q',
          '-U',
          'postgres',
          '-d',
          database,
          ...commands.flatMap((text) => ['-c', text]),
        ];
        const { exitCode, output } = await container.exec(argv);
        if (exitCode !== 0) throw new Error(output);
      };
      const copy = (from: string, to: string) =>
        sql(
          'postgres',
          `drop database if exists ${to} with (force)`,
          `create database ${to} with template ${from}`,
        );
      await sql('seeded', seed);
      return {
        async sample() {
          const snapshot = await milliseconds(() => copy('seeded', 'kept'));
          await sql('seeded', change);
          const restore = await milliseconds(async () => {
            await copy('kept', 'seeded');
            await sql('seeded', 'select 1');
          });
          await delay(PEER_SETTLE);
          return { snapshot, restore };
        },
        async [Symbol.asyncDispose]() {
          await container.stop();
        },
      };
    },
  };
}

/** Milliseconds that `docker pull` takes for an image that it does not have. */
export type DockerPull = (reference: string) => Promise<number>;

/** Undefined where no Docker engine answers. A registry on loopback is one that it trusts without TLS. */
export async function connectDocker(): Promise<DockerPull | undefined> {
  if ((await connectPeer()) === undefined) return undefined;
  return async (reference) => {
    await execa('docker', ['image', 'rm', '--force', reference], { reject: false });
    return await milliseconds(() => execa('docker', ['pull', '--quiet', reference]));
  };
}
