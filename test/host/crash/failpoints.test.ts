import { readdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../../src/containers/engine.ts';
import {
  CommandError,
  type Container,
  type Image,
  ProgramError,
  startContainer,
} from '../../../src/index.ts';
import type { Instruction, Program } from '../../../src/kernel/program/instruction.ts';
import { debian, TEST_HOME } from '../../fixtures/home.ts';
import { expectNoLeaks, leftOnDisk } from '../../fixtures/leaks.ts';
import { requires } from '../../requires.ts';

type Kind = 'start' | 'exec';

const TIMEOUT = 300_000;
const engine = () => openEngine();
const openFds = () => readdirSync('/proc/self/fd').length;

/** Runs `attempt` once for every instruction of the program, with that instruction failing, until there are no more. */
async function failEach(
  kind: Kind,
  errno: string,
  attempt: () => Promise<void>,
): Promise<{ instruction: Instruction; program: Program; error: unknown }[]> {
  const outcomes = [];
  let last = 0;
  for (let index = 0; index <= last; index += 1) {
    let program: Program | undefined;
    engine().failpoints[kind] = (compiled) => {
      program = compiled;
      return { index, errno };
    };
    const error = await attempt().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    engine().failpoints[kind] = undefined;
    const instructions = program!.sections.flatMap((section) => section.instructions);
    last = instructions.length - 1;
    outcomes.push({ instruction: instructions[index]!, program: program!, error });
  }
  return outcomes;
}

/** True when the failure of an instruction is no failure of the program. */
function mayPass(instruction: Instruction, { program, errno }: { program: Program; errno: string }): boolean {
  // The second attempt is made; and what is left undone at the end, the launcher and the next sweep do.
  if (errno === 'EINTR') return true;
  const section = program.sections.find(({ instructions }) => instructions.includes(instruction))!;
  if (section.role === 'teardown' || instruction.tolerate.includes(errno)) return true;
  // One of the candidates on PATH is executed; those after it are not reached.
  return instruction.operation === 'execve' || mayBeSkipped(instruction, program);
}

/** An instruction that needs the result of one whose failure is tolerated is skipped when that one fails. */
function mayBeSkipped(instruction: Instruction, program: Program): boolean {
  const all = program.sections.flatMap((section) => section.instructions);
  return instruction.operands.some(
    (operand) =>
      operand.kind === 'result' &&
      (all[operand.of]!.tolerate.length > 0 || mayBeSkipped(all[operand.of]!, program)),
  );
}

/** The error names the step, either itself or as what lies under the words about a command. */
function stepOf(error: unknown): number | undefined {
  const failure = error instanceof CommandError ? error.cause : error;
  return failure instanceof ProgramError && /\(step \d+ of \d+\)/.test(failure.message)
    ? failure.step
    : undefined;
}

function expectSteps(outcomes: Awaited<ReturnType<typeof failEach>>, errno: string): void {
  const wrong = outcomes.filter(({ instruction, program, error }) =>
    error === undefined ? !mayPass(instruction, { program, errno }) : stepOf(error) !== instruction.index + 1,
  );
  expect(wrong.map(({ instruction, error }) => ({ instruction, error }))).toEqual([]);
  // A campaign in which nothing failed would have shown nothing.
  if (errno !== 'EINTR')
    expect(outcomes.filter(({ error }) => error !== undefined).length).toBeGreaterThan(outcomes.length / 3);
}

const ERRNOS = ['EPERM', 'ENOMEM', 'ENOSPC', 'EINTR'];
let image: Image;

afterEach(() => {
  engine().failpoints.start = undefined;
  engine().failpoints.exec = undefined;
});

requires('root', 'mmdebstrap')('a step of a start that fails', () => {
  beforeAll(async () => {
    image = await debian();
  });

  const attempt = async () => {
    const options = { image, command: ['sleep', '1000'], memory: '64m', stopTimeout: 0 };
    await (await startContainer(options)).stop();
  };

  test.for(ERRNOS)('with %s is named, and nothing is left', { timeout: TIMEOUT }, async (errno) => {
    await attempt();
    await expectNoLeaks(TEST_HOME);
    const fds = openFds();
    const left: string[] = [];
    const outcomes = await failEach('start', errno, async () => {
      await attempt().finally(() => left.push(...leftOnDisk(TEST_HOME)));
    });
    expectSteps(outcomes, errno);
    expect(left).toEqual([]);
    await expectNoLeaks(TEST_HOME);
    expect(openFds()).toBeLessThanOrEqual(fds);
  });

  test.for(ERRNOS)('with %s does nothing to another container', { timeout: TIMEOUT }, async (errno) => {
    await using other = await startContainer({ image, stopTimeout: 0 });
    expectSteps(await failEach('start', errno, attempt), errno);
    expect((await other.exec(['true'])).exitCode).toBe(0);
  });

  test('is named without our init, too', { timeout: TIMEOUT }, async () => {
    const outcomes = await failEach('start', 'ENOMEM', async () => {
      await (await startContainer({ image, init: false, stopTimeout: 0 })).stop();
    });
    expectSteps(outcomes, 'ENOMEM');
    await expectNoLeaks(TEST_HOME);
    expect(leftOnDisk(TEST_HOME)).toEqual([]);
  });
});

requires('root', 'mmdebstrap')('a step of an exec that fails', () => {
  let box: Container;
  beforeAll(async () => {
    image = await debian();
    box = await startContainer({ image, memory: '64m', stopTimeout: 0 });
  });
  afterAll(() => box.stop());

  test.for(ERRNOS)(
    'with %s is named, and the container is as before',
    { timeout: TIMEOUT },
    async (errno) => {
      const processes = async () => (await box.exec(['ls', '/proc'])).stdout.match(/^\d+$/gm)!.length;
      const before = await processes();
      const fds = openFds();
      const outcomes = await failEach('exec', errno, async () => void (await box.exec(['true'])));
      expectSteps(outcomes, errno);
      expect(await processes()).toBe(before);
      expect(openFds()).toBeLessThanOrEqual(fds);
    },
  );
});
