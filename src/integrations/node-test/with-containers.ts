import { after, type TestContext, test } from 'node:test';
import type { Container } from '../../containers/container.ts';
import type { ContainersOf, Descriptors } from '../fixtures/descriptor.ts';
import { describeContainer } from '../fixtures/evidence.ts';
import { keepFailed } from '../fixtures/keep-failed.ts';
import { workerSlots } from '../fixtures/slots.ts';

/** A test that is given containers, and the context that node:test gives. */
export type ContainerTest<D extends Descriptors> = (
  title: string,
  fn: (containers: ContainersOf<D>, context: TestContext) => void | Promise<void>,
) => Promise<void>;

/**
 * node:test's `test` with containers: `const test = withContainers({ db: container('postgres') })`, then
 * `test('…', async ({ db }) => …)`.
 *
 * A process, which is a file, has one container for each. They start before the first test and are put back before each, as `reset`
 * says, under the same address, and end with the file. When a test fails, where they are and their last lines are its diagnostics;
 * with MAYFLY_KEEP=failed in the environment their state is kept, and `mayfly run` opens it again.
 *
 * Tests that run at the same time (`concurrency`) would share them: leave that to the files.
 *
 * @throws in the tests: what `seeded` and the start of a container throw
 */
export function withContainers<const D extends Descriptors>(descriptors: D): ContainerTest<D> {
  const file = {};
  after(() => workerSlots().close());
  return (title, fn) =>
    test(title, async (context) => {
      const containers: Record<string, Container> = {};
      for (const [name, descriptor] of Object.entries(descriptors)) {
        const lease = await workerSlots().slot(name, descriptor).lease({ file, isConcurrent: false });
        containers[name] = lease.container;
      }
      try {
        await fn(containers as ContainersOf<D>, context);
      } catch (error) {
        for (const [name, container] of Object.entries(containers)) await report(name, container, context);
        throw error;
      }
    });
}

async function report(fixture: string, container: Container, context: TestContext): Promise<void> {
  // A line each, as a reporter escapes what ends one.
  for (const line of (await describeContainer(fixture, container)).split('\n')) context.diagnostic(line);
  const failed = { file: process.argv[1] ?? 'test', titles: [context.name], fixture };
  const kept = await keepFailed(container, failed);
  if (kept !== undefined) context.diagnostic(kept);
}
