import { bar } from '../../support/bar.ts';
import { formatByteSize } from '../../support/byte-size.ts';
import { openLineBlock, type Terminal } from '../../support/line-block.ts';
import type { TransferProgress } from './progress.ts';

/** What a person sees of a transfer. */
export interface ShownTransfer {
  readonly update: (progress: TransferProgress) => void;
  done(): void;
  failed(): void;
}

const SHORT_DIGEST = 'sha256:'.length + 12;

/**
 * Shows a transfer on stderr: on a terminal a line for each layer, with a bar; elsewhere one line when it is done. Nothing
 * at all when nothing had to be moved.
 */
export function showTransfer(
  verb: string,
  reference: string,
  terminal: Terminal = process.stderr,
): ShownTransfer {
  const begin = performance.now();
  const layers = new Map<string, TransferProgress>();
  const block = openLineBlock(terminal, () => [...layers.values()].map(lineOf));
  const title = () => `mayfly: ${verb} ${reference}`;
  const end = (verdict: string) => {
    block.close();
    if (layers.size === 0) return;
    const bytes = [...layers.values()].reduce((sum, { totalBytes }) => sum + totalBytes, 0);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    terminal.write(
      `${title()}  ${seconds} s  ${layers.size} ${layers.size === 1 ? 'layer' : 'layers'}  ${formatByteSize(bytes)}${verdict}\n`,
    );
  };
  return {
    update: (progress) => {
      layers.set(progress.layer, progress);
      block.draw();
    },
    done: () => end(''),
    failed: () => end('  failed'),
  };
}

function lineOf({ layer, phase, bytes, totalBytes }: TransferProgress): string {
  const name = layer.slice('sha256:'.length, SHORT_DIGEST);
  // What a layer unpacks to is not known in advance.
  if (phase === 'unpack') return `  ${name}  unpack    ${formatByteSize(bytes)}`;
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  return `  ${name}  ${phase.padEnd(8)}  ${bar(share)} ${formatByteSize(bytes)} of ${formatByteSize(totalBytes)}`;
}
