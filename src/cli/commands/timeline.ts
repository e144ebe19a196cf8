import { writeFileSync } from 'node:fs';
import { getTimeline, lastTimeline } from '../../containers/timeline/find-timeline.ts';
import { PHASES, type Timeline } from '../../containers/timeline/timeline.ts';
import type { Invocation } from '../command.ts';
import { shortId } from '../listing/words.ts';
import { alignColumns, type Output } from '../output.ts';
import { traceOf } from '../trace.ts';
import { UsageError } from '../usage-error.ts';

type Options = { last: boolean; trace: string | undefined; format: string };

/** Characters of the longest bar. */
const WIDTH = 50;

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { container: string | undefined }>): Promise<number> {
  if (options.last === (args.container !== undefined))
    throw new UsageError('one container, or --last, is wanted', 'see mayfly timeline --help');
  const timeline = args.container === undefined ? lastTimeline() : getTimeline(args.container);
  if (options.trace !== undefined) writeFileSync(options.trace, `${JSON.stringify(traceOf(timeline))}\n`);
  if (options.format === 'json') output.print(JSON.stringify(timeline));
  else show(timeline, output);
  return 0;
}

function show({ id, name, image, total, phases }: Timeline, { print, colours }: Output): void {
  print(`${colours.bold(name)} ${shortId(id)} of ${image}: ready after ${milliseconds(total)} ms`);
  print();
  const rows = PHASES.map((phase) => {
    const spans = phases[phase];
    const sum = spans.reduce((before, { duration }) => before + duration, 0);
    return [phase, milliseconds(sum).padStart(8), bar(spans, total)];
  });
  for (const line of alignColumns([['', '      ms', ''], ...rows], 2)) print(line);
}

/** Where the spans lie in the whole; what took hardly any time has a thin mark. */
export function bar(spans: readonly { start: number; duration: number }[], total: number): string {
  const cells = Array.from({ length: WIDTH }, () => ' ');
  for (const { start, duration } of spans) {
    const from = Math.min(WIDTH - 1, Math.floor((start / total) * WIDTH));
    const cellCount = Math.round((duration / total) * WIDTH);
    if (cellCount === 0) cells[from] = cells[from] === ' ' ? '▏' : cells[from]!;
    else cells.fill('█', from, Math.min(WIDTH, from + cellCount));
  }
  return cells.join('').trimEnd();
}

const milliseconds = (value: number) => value.toFixed(value < 100 ? 2 : 0);
