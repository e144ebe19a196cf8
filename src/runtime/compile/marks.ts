import { buffer, type SectionBuilder, struct } from '../../kernel/program/builder.ts';
import type { Operand, Result } from '../../kernel/program/instruction.ts';
import { MARK_SIZE, MARKS, type Mark } from '../state/marks.ts';
import { openHostFile } from './host-file.ts';

/** <linux/time.h>; the clock of process.hrtime too. */
const CLOCK_MONOTONIC = 1;

/** The file of marks, opened in the shim; init inherits it. */
export function openMarks(shim: SectionBuilder, path: string): Result {
  return openHostFile(shim, path, ['O_WRONLY', 'O_CREAT', 'O_TRUNC']);
}

/** Takes the time, in the memory of the process that is there. */
export function takeTime(section: SectionBuilder, mark: Mark): void {
  section.call('clock_gettime', [CLOCK_MONOTONIC, slot(mark)], { what: `take the time: ${mark}` });
}

/** Writes down times that this process, or its parent before it was cloned, has taken; neighbours in the list of marks. */
export function writeMarks(section: SectionBuilder, file: Result, marks: readonly Mark[]): void {
  const vector = struct(marks.flatMap((mark) => [slot(mark), MARK_SIZE]));
  const place = MARKS.indexOf(marks[0]!) * MARK_SIZE;
  section.call('pwritev', [file, vector, marks.length, place, 0], { what: 'write the times down' });
}

function slot(mark: Mark): Operand {
  return buffer(MARK_SIZE, `time ${mark}`);
}
