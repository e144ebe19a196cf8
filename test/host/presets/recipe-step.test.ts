import { beforeAll, expect, test } from 'vitest';
import { type Image, startContainer } from '../../../src/index.ts';
import { runStep } from '../../../src/presets/recipe/run-step.ts';
import type { StepProgress } from '../../../src/support/progress.ts';
import { debian } from '../../fixtures/home.ts';
import { requires } from '../../requires.ts';

/** Keeps what is reported instead of showing it. */
function listen() {
  const heard: (StepProgress | 'done' | 'failed')[] = [];
  const step = {
    update: (progress: StepProgress) => heard.push(progress),
    done: () => heard.push('done'),
    failed: () => heard.push('failed'),
  };
  return { heard, progress: { say: () => {}, step: () => step } };
}

requires('root', 'mmdebstrap')('a step of a recipe', () => {
  let image: Image;
  beforeAll(async () => {
    image = await debian();
  });

  test('tells what apt tells, and whatever else it says', async () => {
    await using box = await startContainer({ image, stopTimeout: 0 });
    const { heard, progress } = listen();
    const script = 'echo Reading; echo dlstatus:1:20:Retrieving file 1 of 5; echo pmstatus:a:50:Unpacking a';
    await runStep(box, { title: 'install', script, progress, signal: undefined });
    expect(heard).toEqual([
      { note: 'Reading' },
      { share: 0.1, note: 'Retrieving file 1 of 5' },
      { share: 0.75, note: 'Unpacking a' },
      'done',
    ]);
  });

  test('that fails says what it said last, without waiting for what it has left behind', async () => {
    await using box = await startContainer({ image, stopTimeout: 0 });
    const { heard, progress } = listen();
    const script = 'sleep 1000 & seq 30; echo pmstatus:a:50:Unpacking a; echo no room >&2; false; echo never';
    const failure = await runStep(box, { title: 'install', script, progress, signal: undefined }).catch(
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({ code: 'recipe.step-failed' });
    const numbers = Array.from({ length: 19 }, (_, i) => `    ${i + 12}\n`).join('');
    expect(failure!.message).toContain(`install exited with code 1\n${numbers}    no room\n`);
    expect(heard.at(-1)).toBe('failed');
  });

  test('ends with its signal, whose reason it throws', async () => {
    await using box = await startContainer({ image, stopTimeout: 0 });
    const { heard, progress } = listen();
    const stop = new AbortController();
    const running = runStep(box, {
      title: 'wait',
      script: 'echo up; sleep 1000',
      progress,
      signal: stop.signal,
    });
    await Promise.all([
      expect(running).rejects.toThrow('enough'),
      expect
        .poll(() => heard.length)
        .toBe(1)
        .then(() => stop.abort(new Error('enough'))),
    ]);
    expect(heard.at(-1)).toBe('failed');
  });
});
