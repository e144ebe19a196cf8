import type { OnTransferProgress } from '../images/transfer/progress.ts';
import { type Progress, reportProgress, type Step } from '../support/progress.ts';

/** Shows each layer of a transfer as a step, by the phase that it is in. */
export function showTransfer(progress: Progress = reportProgress()): OnTransferProgress {
  const steps = new Map<string, { phase: string; step: Step }>();
  return ({ layer, phase, bytes, totalBytes }) => {
    const known = steps.get(layer);
    if (known !== undefined && known.phase !== phase) {
      known.step.done();
      steps.delete(layer);
    }
    if (phase === 'done') return;
    let current = steps.get(layer);
    if (current === undefined) {
      const title = `${phase} ${layer.replace(/^sha256:/, '').slice(0, 12)}`;
      current = { phase, step: progress.step(title) };
      steps.set(layer, current);
    }
    current.step.update(phase === 'unpack' ? { bytes } : { bytes, totalBytes });
  };
}
