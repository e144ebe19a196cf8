/** One line that the container wrote. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When the shim read the line's end from the container, to the millisecond. */
  readonly time: Date;
  /** Without its line feed. */
  readonly text: string;
}

/** `2026-11-24T10:00:00.123456789Z stdout F text`, see kernel/shim/log.h. */
const RECORD = /^(\S{30}) (stdout|stderr) ([FP]) (.*)$/s;

/** Turns the log file's bytes into lines, in whatever pieces they come; joins the pieces of a long line. */
export class LogParser {
  #rest: Buffer = Buffer.alloc(0);
  readonly #partial = { stdout: '', stderr: '' };

  push(chunk: Buffer): LogLine[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: LogLine[] = [];
    // The oldest part of a log over its limit is a hole, which reads as zeros and begins within a line.
    let start = 0;
    while (start < bytes.length && bytes[start] === 0) start += 1;
    for (let end = bytes.indexOf(0x0a, start); end >= 0; end = bytes.indexOf(0x0a, start)) {
      const line = this.#take(bytes.toString('utf8', start, end));
      if (line !== undefined) lines.push(line);
      start = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
    return lines;
  }

  /** What each stream wrote after its last line feed; to be asked for when the container has ended. */
  flush(): LogLine[] {
    const now = new Date();
    return (['stdout', 'stderr'] as const)
      .filter((stream) => this.#partial[stream] !== '')
      .map((stream) => ({ stream, time: now, text: this.#partial[stream] }));
  }

  #take(record: string): LogLine | undefined {
    const match = RECORD.exec(record);
    if (match === null) return undefined;
    const [, time, stream, tag, text] = match as unknown as [
      string,
      string,
      LogLine['stream'],
      string,
      string,
    ];
    if (tag === 'P') {
      this.#partial[stream] += text;
      return undefined;
    }
    const whole = this.#partial[stream] + text;
    this.#partial[stream] = '';
    return { stream, time: new Date(time), text: whole.endsWith('\r') ? whole.slice(0, -1) : whole };
  }
}
