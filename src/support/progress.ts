import { bar } from './bar.ts';
import { formatByteSize } from './byte-size.ts';
import { openLineBlock, type Terminal } from './line-block.ts';

/** How far a step has come, as far as that is known. What is left out stays as it was. */
export interface StepProgress {
  readonly bytes?: number;
  readonly totalBytes?: number;
  /** From 0 to 1. */
  readonly share?: number;
  /** What it does at the moment. */
  readonly note?: string;
}

/** One step of something that takes long. */
export interface Step {
  update(progress: StepProgress): void;
  done(): void;
  failed(): void;
}

/** Tells a person what is going on. */
export interface Progress {
  say(line: string): void;
  step(title: string): Step;
}

const REDRAW_INTERVAL = 100;

/**
 * Reports on stderr: on a terminal one line that keeps changing (what, how long so far, a bar, bytes and what it does, where known),
 * which stays without the last when the step is over; elsewhere one line then.
 */
export function reportProgress(terminal: Terminal = process.stderr): Progress {
  return {
    say: (line) => terminal.write(`mayfly: ${line}\n`),
    step: (title) => startStep(terminal, title),
  };
}

/** The same with a number before each title: `[2/6] `. */
export function numbered(progress: Progress, { from, of }: { from: number; of: number }): Progress {
  let number = from;
  return { say: progress.say, step: (title) => progress.step(`[${number++}/${of}] ${title}`) };
}

function startStep(terminal: Terminal, title: string): Step {
  const begin = performance.now();
  let state: StepProgress = {};
  const line = () =>
    `mayfly: ${title}  ${((performance.now() - begin) / 1000).toFixed(1)} s${amountOf(state)}`;
  const block = openLineBlock(terminal, () => [`${line()}${momentOf(state)}`]);
  const timer = terminal.isTTY ? setInterval(() => block.draw(), REDRAW_INTERVAL) : undefined;
  timer?.unref();
  block.draw();
  const end = (verdict: string) => {
    clearInterval(timer);
    block.close();
    terminal.write(`${line()}${verdict}\n`);
  };
  return {
    update(progress) {
      state = { ...state, ...progress };
    },
    done: () => end(''),
    failed: () => end('  failed'),
  };
}

function amountOf({ bytes, totalBytes }: StepProgress): string {
  if (bytes === undefined) return '';
  return `  ${formatByteSize(bytes)}${totalBytes === undefined ? '' : ` of ${formatByteSize(totalBytes)}`}`;
}

function momentOf({ share, note }: StepProgress): string {
  return `${share === undefined ? '' : `  ${bar(share)}`}${note === undefined ? '' : `  ${note}`}`;
}
