import { type RunnerTestCase, type TestAPI, type TestContext, test } from 'vitest';
import type { ContainerDescriptor, ContainersOf, Descriptors } from '../fixtures/descriptor.ts';
import { type Slots, workerSlots } from '../fixtures/slots.ts';
import { reportFailure } from './report-failure.ts';

type Use<T> = (value: T) => Promise<void>;

/**
 * vitest's `test` with containers as fixtures: `const test = withContainers({ db: container('postgres') })`, then
 * `test('…', async ({ db }) => …)`. To be called at the top level of a file, as all fixtures that outlive a test.
 *
 * A worker has one container for each, which starts when a test first names it and is put back before the tests that follow, as
 * `reset` says: with the same id, name, address and port, but with other processes, so connections end: close them in the test, or
 * see `Container.restore`. Concurrent tests get one each. When a test fails, where its containers are and their last lines are attached to it; with MAYFLY_KEEP=failed in the
 * environment their state is kept, too, and `mayfly run` opens it again.
 *
 * With `isolate`, a worker is there for one file.
 *
 * @throws in the tests: what `seeded` and the start of a container throw
 */
export function withContainers<const D extends Descriptors>(descriptors: D): TestAPI<ContainersOf<D>> {
  const fixtures = Object.entries(descriptors).map(([name, descriptor]) => [
    name,
    containerFixture(name, descriptor),
  ]);
  return test.extend({
    mayflySlots: [slotsFixture, { scope: 'worker' }],
    ...Object.fromEntries(fixtures),
  }) as unknown as TestAPI<ContainersOf<D>>;
}

/** vitest reads from the text of these functions what they depend on, so they take their first argument apart. */
// biome-ignore lint/correctness/noEmptyPattern: it depends on nothing
async function slotsFixture({}: object, use: Use<Slots>): Promise<void> {
  await use(workerSlots());
  await workerSlots().close();
}

function containerFixture(name: string, descriptor: ContainerDescriptor) {
  return async (
    {
      task,
      annotate,
      mayflySlots,
    }: { task: RunnerTestCase; annotate: TestContext['annotate']; mayflySlots: Slots },
    use: Use<unknown>,
  ): Promise<void> => {
    await using lease = await mayflySlots
      .slot(name, descriptor)
      .lease({ file: task.file, isConcurrent: task.concurrent === true });
    await use(lease.container);
    if (task.result?.state === 'fail' && !task.fails)
      await reportFailure(lease.container, { fixture: name, task, annotate });
  };
}
