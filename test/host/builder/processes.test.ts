import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { BASE, BuildContext, outputOf } from '../../fixtures/building.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks } from '../../fixtures/leaks.ts';
import { startFixture } from '../../fixtures/program.ts';
import { requires } from '../../requires.ts';

interface Said {
  readonly kind: string;
  readonly step?: string;
  readonly cached?: boolean;
  readonly id?: string;
}

/** Directories of builds and layers that are on their way. */
const temporaries = () => readdirSync(join(TEST_HOME, 'layers')).filter((name) => name.startsWith('tmp-'));
const containers = () => readdirSync(join(TEST_HOME, 'containers'));

requires('root', 'mmdebstrap')('builds in several processes', () => {
  let context: BuildContext;
  beforeAll(async () => {
    await debian();
  });
  beforeEach(() => {
    context = new BuildContext();
  });
  afterEach(() => context[Symbol.dispose]());

  function start(): ChildProcess {
    return startFixture('builder.ts', [context.path], { MAYFLY_HOME: TEST_HOME });
  }
  async function* linesOf(child: ChildProcess): AsyncGenerator<Said> {
    for await (const line of createInterface({ input: child.stdout! })) yield JSON.parse(line) as Said;
  }
  async function all(child: ChildProcess): Promise<Said[]> {
    const said: Said[] = [];
    for await (const line of linesOf(child)) said.push(line);
    return said;
  }

  test('the same Dockerfile at once: each layer is made once, and both have the same image', async () => {
    const id = randomUUID();
    // The cache counts how often the command runs.
    context.put({
      f: id,
      Dockerfile: [
        `FROM ${BASE}`,
        'COPY f /f',
        `RUN --mount=type=cache,id=${id},target=/c echo run >> /c/runs && sleep 1 && date +%N > /stamp`,
        'WORKDIR /of/both',
      ].join('\n'),
    });
    const both = await Promise.all([all(start()), all(start())]);
    const images = both.map((said) => said.find(({ kind }) => kind === 'image')?.id);
    expect(images[0]).toMatch(/^sha256:/);
    expect(images[1]).toBe(images[0]);
    const runs = await context.watch([
      `FROM ${BASE}`,
      `RUN --mount=type=cache,id=${id},target=/c wc -l < /c/runs`,
    ]);
    expect(runs.events).toContainEqual(expect.objectContaining({ kind: 'output', text: '1' }));
    for (const step of ['COPY', 'RUN', 'WORKDIR']) {
      const made = both.flat().filter((said) => said.kind === 'end' && said.step?.startsWith(step));
      expect(made.map(({ cached }) => cached).sort(), step).toEqual([false, true]);
    }
  });

  test('killed in the middle of a RUN, a build leaves nothing that the next one does not clear up, and that one works', async () => {
    const id = randomUUID();
    context.put({ Dockerfile: `FROM ${BASE}\nRUN echo ${id} > /made; echo begun; sleep 1000` });
    const child = start();
    for await (const { kind } of linesOf(child)) if (kind === 'output') break;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    await expectNoLeaks(TEST_HOME);
    const image = await context.build([`FROM ${BASE}`, `RUN echo ${id} > /made; echo begun`]);
    expect(await outputOf(image, 'cat /made')).toBe(`${id}\n`);
    expect({ temporaries: temporaries(), containers: containers() }).toEqual({
      temporaries: [],
      containers: [],
    });
    // The same step is not held by the dead.
    context.put({ Dockerfile: `FROM ${BASE}\nRUN echo ${id} > /made; echo begun; sleep 0` });
    expect((await all(start())).at(-1)).toMatchObject({ kind: 'image' });
  });

  test('aborted at any step, a build leaves nothing', async () => {
    context.put({ f: randomUUID() });
    const lines = [
      `FROM ${BASE} AS a`,
      'COPY f /f',
      'RUN cat /f > /g',
      'WORKDIR /x/y',
      `FROM ${BASE}`,
      'COPY --from=a /g /h',
      'RUN --mount=from=a,source=/g,target=/i cat /i',
    ];
    const steps = ['COPY f', 'RUN cat', 'WORKDIR', 'COPY --from', 'RUN --mount'];
    for (const step of steps) {
      const stop = new AbortController();
      const building = context.build(lines, {
        noCache: true,
        signal: stop.signal,
        onProgress: (event) => {
          if (event.kind === 'begin' && event.step.startsWith(step))
            setImmediate(() => stop.abort(new Error(step)));
        },
      });
      await expect(building, step).rejects.toThrow(step);
      expect({ step, temporaries: temporaries(), containers: containers() }).toEqual({
        step,
        temporaries: [],
        containers: [],
      });
    }
    await expectNoLeaks(TEST_HOME);
    await context.build(lines);
  });
});
