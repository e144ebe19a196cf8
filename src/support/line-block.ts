/** The part of process.stderr that is needed. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** A few lines at the bottom of a terminal that keep changing. Elsewhere than on a terminal it is nothing. */
export interface LineBlock {
  /** Draws soon; many calls make one drawing. */
  draw(): void;
  /** Takes the lines away, until they are drawn again. */
  close(): void;
}

const REDRAW_INTERVAL = 100;
const CLEAR_BELOW = '\x1b[J';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export function openLineBlock(terminal: Terminal, lines: () => readonly string[]): LineBlock {
  if (!terminal.isTTY) return { draw: () => {}, close: () => {} };
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  const erase = () => (drawn === 0 ? '' : `\x1b[${drawn}A\r${CLEAR_BELOW}`);
  const redraw = () => {
    timer = undefined;
    // A line that wraps would be two, and the next erasing would go wrong.
    // Nor can what has left the screen at the top be reached any more: of too many lines the last are shown.
    const most = (terminal.rows ?? DEFAULT_ROWS) - 1;
    const shown = lines()
      .slice(-most)
      .map((line) => line.slice(0, (terminal.columns ?? DEFAULT_COLUMNS) - 1));
    terminal.write(`${erase()}${shown.map((line) => `${line}\n`).join('')}`);
    drawn = shown.length;
  };
  return {
    draw() {
      timer ??= setTimeout(redraw, REDRAW_INTERVAL);
      timer.unref();
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      terminal.write(erase());
      drawn = 0;
    },
  };
}
