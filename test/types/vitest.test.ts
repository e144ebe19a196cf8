import { expectTypeOf, test } from 'vitest';
import type { Container, PostgresExtras, RedisExtras } from '../../src/index.ts';
import { container, withContainers } from '../../src/integrations/vitest/index.ts';

test('fixtures have what their presets give, and so do their seeds', () => {
  const define = () => {
    const test = withContainers({
      db: container('postgres', {
        database: 'shop',
        reset: 'file',
        seed: ({ url }) => expectTypeOf(url).toEqualTypeOf<string>(),
      }),
      cache: container('redis'),
      web: container({ image: 'nginx:1.27', reset: 'never' }),
    });
    test('types', ({ db, cache, web }) => {
      expectTypeOf(db).toExtend<Container & PostgresExtras>();
      expectTypeOf(cache).toExtend<Container & RedisExtras>();
      expectTypeOf(web).toEqualTypeOf<Container>();
    });
    // @ts-expect-error no such fixture
    test('no such fixture', ({ queue }) => queue);
  };
  void define;
  // @ts-expect-error no such reset
  void (() => container('postgres', { reset: 'sometimes' }));
  // @ts-expect-error an option of another preset
  void (() => container('postgres', { initCommands: 'PING' }));
});
