import type { BuildEvent, BuildStep } from '../../builder/build-options.ts';
import { type LineBlock, openLineBlock, type Terminal } from '../../support/line-block.ts';

/** How a build is shown: on lines that keep changing, or line by line. */
export type ProgressMode = 'tty' | 'plain';

/** Shows a build to a person. */
export interface BuildProgress extends Disposable {
  readonly onProgress: (event: BuildEvent) => void;
}

interface Running {
  readonly title: string;
  readonly begin: number;
  last: string;
}

const TICK = 1000;

/** Writes each step when it is over, and on a terminal below that those that run, with the last line that each has written. */
export function showBuild(mode: ProgressMode, terminal: Terminal): BuildProgress {
  const running = new Map<string, Running>();
  const lines = () => [...running.values()].map((step) => `${step.title}  ${elapsed(step)}  ${step.last}`);
  const block = openLineBlock({ ...terminalOf(terminal), isTTY: mode === 'tty' }, lines);
  const timer = mode === 'tty' ? setInterval(() => block.draw(), TICK) : undefined;
  timer?.unref();
  const say = (line: string) => lasting(block, terminal, line);
  return {
    onProgress(event) {
      const step = running.get(event.stage);
      if (event.kind === 'begin') {
        const title = titleOf(event);
        running.set(event.stage, { title, begin: performance.now(), last: '' });
        if (mode === 'plain') say(title);
      } else if (event.kind === 'output') {
        if (mode === 'plain') say(`[${event.stage}] ${event.text}`);
        else if (step !== undefined) step.last = event.text;
      } else {
        running.delete(event.stage);
        const outcome = event.cached ? 'CACHED' : step === undefined ? '' : elapsed(step);
        say(mode === 'plain' ? `[${event.stage}] ${outcome}` : `${titleOf(event)}  ${outcome}`);
      }
      block.draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      block.close();
    },
  };
}

/** Above the lines that change. */
function lasting(block: LineBlock, terminal: Terminal, line: string): void {
  block.close();
  terminal.write(`${line}\n`);
}

/** Methods of a stream are its prototype's, which a spread leaves behind. */
function terminalOf(terminal: Terminal): Terminal {
  return {
    write: (text) => terminal.write(text),
    get columns() {
      return terminal.columns as number;
    },
  };
}

const titleOf = ({ stage, number, of, step }: BuildStep) =>
  `[${stage} ${number}/${of}] ${step.replaceAll(/\s+/g, ' ')}`;

const elapsed = ({ begin }: Running) => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
