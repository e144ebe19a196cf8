import { DockerfileError } from './dockerfile-error.ts';
import type { Dockerfile, Instruction } from './parse.ts';

/** One `FROM` and the instructions up to the next. */
export interface Stage {
  readonly index: number;
  /** In lower case, as stages are compared; undefined without `AS`. */
  readonly name: string | undefined;
  readonly from: Instruction;
  /** Not expanded yet. */
  readonly base: string;
  readonly platform: string | undefined;
  readonly steps: readonly Instruction[];
}

/** What people call a stage: by its name, or its number. */
export const titleOf = ({ name, index }: Stage): string => name ?? String(index);

export interface Stages {
  /** ARGs before the first FROM, which FROM lines may use, and stages that declare them again. */
  readonly globals: readonly Instruction[];
  readonly stages: readonly Stage[];
}

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/** @throws DockerfileError `build.syntax` */
export function splitStages({ instructions }: Dockerfile): Stages {
  const first = instructions.findIndex(({ keyword }) => keyword === 'FROM');
  const globals = first < 0 ? instructions : instructions.slice(0, first);
  const stray = globals.find(({ keyword }) => keyword !== 'ARG');
  if (first < 0 || stray !== undefined) {
    const place = (stray ?? instructions[0]!).place;
    throw new DockerfileError('build.syntax', 'only ARG may come before the first FROM', { place });
  }
  const stages: { from: Instruction; steps: Instruction[] }[] = [];
  for (const instruction of instructions.slice(first)) {
    if (instruction.keyword === 'FROM') stages.push({ from: instruction, steps: [] });
    else stages.at(-1)!.steps.push(instruction);
  }
  return { globals, stages: stages.map((stage, index) => readStage(stage, index)) };
}

function readStage({ from, steps }: { from: Instruction; steps: Instruction[] }, index: number): Stage {
  const match = /^(\S+)(?:\s+as\s+(\S+))?$/i.exec(from.args);
  const name = match?.[2]?.toLowerCase();
  if (match === null || (name !== undefined && !STAGE_NAME.test(name))) {
    throw new DockerfileError('build.syntax', 'not of the form FROM image [AS name]', {
      place: from.place,
      hint: 'a name begins with a letter and has letters, digits, "-", "_" and "."',
    });
  }
  return { index, name, from, base: match[1]!, platform: from.flags[0]?.value, steps };
}

/**
 * The stage that is meant by a name or a number, before stage `before`; undefined when none is, so that it names an image.
 */
export function findStage(
  stages: readonly Stage[],
  { name, before }: { name: string; before: number },
): Stage | undefined {
  const earlier = stages.slice(0, before);
  const byName = earlier.findLast((stage) => stage.name === name.toLowerCase());
  return byName ?? (/^\d+$/.test(name) ? earlier[Number(name)] : undefined);
}
