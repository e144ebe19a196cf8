import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/**
 * Prints at the end of a run what was skipped and why, so that no test is left out unnoticed, and what passed only when it was tried again,
 * with what it had failed with.
 */
export default class SkipReporter implements Reporter {
  #filtered = false;

  onInit(vitest: Vitest): void {
    // Someone who runs `vitest -t name` knows that the rest does not run.
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = this.#filtered ? [] : describeSkipped(modules);
    if (lines.length > 0) console.log(['', 'Skipped:', ...lines, ''].join('\n'));
    const again = describeRetried(modules);
    if (again.length > 0) console.log(['', 'Passed when tried again:', ...again, ''].join('\n'));
  }
}

function describeRetried(modules: readonly TestModule[]): string[] {
  return modules.flatMap((module) =>
    [...module.children.allTests('passed')]
      .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
      .map((test) => {
        const errors = test.result().errors?.map(({ message, stack }) => stack ?? message) ?? [];
        return `  ${module.relativeModuleId} > ${test.fullName}\n${errors.join('\n')}`;
      }),
  );
}

/** One line for each suite that was skipped as a whole, and for each test skipped elsewhere. */
function describeSkipped(modules: readonly TestModule[]): string[] {
  const groups = new Map<string, number>();
  for (const module of modules) {
    for (const test of module.children.allTests('skipped')) {
      const line = `${module.relativeModuleId} > ${reasonOf(test)}`;
      groups.set(line, (groups.get(line) ?? 0) + 1);
    }
  }
  return [...groups].map(([line, count]) => `  ${line}: ${count} ${count === 1 ? 'test' : 'tests'}`);
}

function reasonOf(test: TestCase): string {
  const suites: TestSuite[] = [];
  for (let { parent } = test; parent.type === 'suite'; parent = parent.parent) suites.unshift(parent);
  const outermost = suites.findIndex(({ options }) => options.mode === 'skip');
  // `requires` has written the reason into this title.
  if (outermost >= 0) return suites[outermost]!.fullName;
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return `${test.fullName} (${note ?? 'no reason given'})`;
}
