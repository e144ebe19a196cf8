import type { OnTransferProgress } from '../images/transfer/progress.ts';
import { showTransfer } from '../images/transfer/show-transfer.ts';
import type { Terminal } from '../support/line-block.ts';

interface Shown {
  readonly verb: 'pull' | 'push';
  readonly reference: string;
  /** True: nothing is shown. */
  readonly quiet: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** Does a transfer, and shows it on stderr: a line with a bar for each layer on a terminal, one line at the end elsewhere. */
export async function shownTransfer<T>(
  transfer: (options: { onProgress?: OnTransferProgress }) => Promise<T>,
  { verb, reference, quiet, env }: Shown,
): Promise<T> {
  if (quiet) return transfer({});
  const shown = showTransfer(verb, reference, terminalOf(env));
  try {
    const result = await transfer({ onProgress: shown.update });
    shown.done();
    return result;
  } catch (error) {
    shown.failed();
    throw error;
  }
}

/** A dumb terminal cannot go back to a line. */
function terminalOf(env: NodeJS.ProcessEnv): Terminal {
  const { stderr } = process;
  if (env.TERM !== 'dumb') return stderr;
  return { isTTY: false, write: (text) => stderr.write(text) };
}
