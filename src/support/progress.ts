import { formatByteSize } from './byte-size.ts';
import type { Terminal } from './line-block.ts';

/** One step of something that takes long. */
export interface Step {
  /** Bytes done so far, and of how many when that is known. */
  update(progress: { bytes: number; totalBytes?: number }): void;
  done(): void;
  failed(): void;
}

/** Tells a person what is going on. */
export interface Progress {
  say(line: string): void;
  step(title: string): Step;
}

const REDRAW_INTERVAL = 100;
const CLEAR_LINE = '\r\x1b[2K';

/**
 * Reports on stderr: on a terminal one line that keeps changing (what, how long so far, bytes where known), elsewhere
 * one line when a step is over.
 */
export function reportProgress(terminal: Terminal = process.stderr): Progress {
  return {
    say: (line) => terminal.write(`mayfly: ${line}\n`),
    step: (title) => startStep(terminal, title),
  };
}

function startStep(terminal: Terminal, title: string): Step {
  const begin = performance.now();
  let amount = '';
  const line = () => `mayfly: ${title}  ${((performance.now() - begin) / 1000).toFixed(1)} s${amount}`;
  const draw = () => terminal.write(`${CLEAR_LINE}${line()}`);
  const timer = terminal.isTTY ? setInterval(draw, REDRAW_INTERVAL) : undefined;
  timer?.unref();
  const end = (verdict: string) => {
    clearInterval(timer);
    terminal.write(`${terminal.isTTY ? CLEAR_LINE : ''}${line()}${verdict}\n`);
  };
  return {
    update: ({ bytes, totalBytes }) => {
      amount = `  ${formatByteSize(bytes)}${totalBytes === undefined ? '' : ` of ${formatByteSize(totalBytes)}`}`;
    },
    done: () => end(''),
    failed: () => end('  failed'),
  };
}
