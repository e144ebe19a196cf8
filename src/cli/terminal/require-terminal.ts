import { isatty } from 'node:tty';
import { MayflyError } from '../../support/error.ts';

/**
 * A terminal on the other side that gets its keys from here needs one on this side.
 *
 * @throws MayflyError `cli.no-terminal`, in docker's words
 */
export function requireTerminal({ interactive, tty }: { interactive: boolean; tty: boolean }): void {
  if (!interactive || !tty || isatty(0)) return;
  throw new MayflyError('cli.no-terminal', 'the input device is not a TTY', {
    hint: 'leave out -t where stdin is a file or a pipe',
  });
}
