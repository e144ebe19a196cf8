import type { RunnerTestCase, TestContext } from 'vitest';
import type { Container } from '../../containers/container.ts';
import { describeContainer } from '../fixtures/evidence.ts';
import { keepFailed } from '../fixtures/keep-failed.ts';

interface Failure {
  readonly fixture: string;
  readonly task: RunnerTestCase;
  readonly annotate: TestContext['annotate'];
}

/** Attaches to a failed test what there is to know of a container that it had. */
export async function reportFailure(
  container: Container,
  { fixture, task, annotate }: Failure,
): Promise<void> {
  const kept = await keepFailed(container, { file: task.file.filepath, titles: titlesOf(task), fixture });
  const evidence = await describeContainer(fixture, container);
  const text = kept === undefined ? evidence : `${evidence}\n${kept}`;
  await annotateFailed({ task, annotate }, text);
}

/**
 * vitest refuses annotations to a test that has failed, although its fixtures are still being taken down (4.1, in the check at the
 * beginning of `annotate`); so for the duration of that check the test has not. Can go when annotate takes them.
 */
async function annotateFailed({ task, annotate }: Pick<Failure, 'task' | 'annotate'>, text: string) {
  const { result } = task;
  if (result === undefined) return;
  const { state } = result;
  result.state = 'run';
  let annotated: Promise<unknown>;
  try {
    annotated = annotate(text);
  } finally {
    result.state = state;
  }
  await annotated;
}

function titlesOf(task: RunnerTestCase): string[] {
  const titles = [task.name];
  for (let suite = task.suite; suite !== undefined; suite = suite.suite) titles.unshift(suite.name);
  return titles;
}
