import { expectTypeOf, test } from 'vitest';
import {
  type Container,
  definePreset,
  type PostgresExtras,
  type RedisExtras,
  type Snapshot,
  seeded,
  startContainer,
} from '../../src/index.ts';

test('a preset by its name has its own options and its own handle', () => {
  const start = () => startContainer('postgres', { database: 'app', memory: '512m', cache: false });
  expectTypeOf<Awaited<ReturnType<typeof start>>>().toExtend<Container & PostgresExtras>();
  expectTypeOf<Awaited<ReturnType<typeof start>>['url']>().toEqualTypeOf<string>();
  // @ts-expect-error an option of no preset and no container
  void (() => startContainer('postgres', { databse: 'app' }));
  // @ts-expect-error no preset of that name
  void (() => startContainer('postgrse'));
});

test('redis may have no password', () => {
  const start = () => startContainer('redis', { config: { databases: 3, save: [3600, 1] }, pids: 50 });
  expectTypeOf<Awaited<ReturnType<typeof start>>>().toExtend<Container & RedisExtras>();
  expectTypeOf<Awaited<ReturnType<typeof start>>['password']>().toEqualTypeOf<string | undefined>();
  // @ts-expect-error a setting is no object
  void (() => startContainer('redis', { config: { maxmemory: {} } }));
});

test('an image gives a plain container', () => {
  const start = () => startContainer({ image: 'nginx:1.27', ports: [80] });
  expectTypeOf<Awaited<ReturnType<typeof start>>>().toEqualTypeOf<Container>();
});

test('a preset of one’s own is typed by what it declares', () => {
  const echo = definePreset<{ words: string }, { said: string }>({
    name: 'echo',
    version: 1,
    image: { reference: 'debian:bookworm', recipe: { packages: [], config: {} } },
    resolve: ({ words = 'hello' }) => ({ words }),
    start: ({ words }) => ({ command: ['echo', words] }),
    extras: (_container, { words }) => ({ said: words }),
  });
  const start = () => startContainer(echo, { words: 'hi', cpus: 1 });
  expectTypeOf<Awaited<ReturnType<typeof start>>['said']>().toEqualTypeOf<string>();
});

test('the snapshot of a seeded preset gives the preset’s handles, and so does its seed', () => {
  const start = async () => {
    const snapshot = await seeded({
      preset: 'postgres',
      options: { database: 'app' },
      seed: ({ url }) => expectTypeOf(url).toEqualTypeOf<string>(),
    });
    return snapshot.start();
  };
  expectTypeOf<Awaited<ReturnType<typeof start>>>().toExtend<Container & PostgresExtras>();
  // @ts-expect-error an option of redis
  void (() => seeded({ preset: 'postgres', options: { initCommands: 'PING' } }));
  const plain = () => seeded({ container: { image: 'nginx:1.27' }, inputs: ['1'] });
  expectTypeOf<Awaited<ReturnType<typeof plain>>>().toEqualTypeOf<Snapshot<Container>>();
});
