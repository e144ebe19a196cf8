import { attachToContainer } from './attach/attach.ts';
import type { AttachedStreams } from './attach/attached-streams.ts';
import { ContainerFacts } from './container-facts.ts';
import { type ExecOptions, type ExecResult, runExec } from './exec/exec.ts';
import { type ExecStream, type ExecStreamOptions, openExecStream } from './exec/exec-stream.ts';
import { startExec, startExecOnTerminal } from './exec/start.ts';
import { type ExecTerminalOptions, openTerminalStream, type TerminalStream } from './exec/terminal-stream.ts';
import { whileRunning } from './running.ts';
import { resolveTerminal } from './terminal.ts';

/** The part of a handle that runs more processes in the container, and gets at the streams of the first. */
export class ProcessSource extends ContainerFacts {
  /**
   * Runs a command in the container. A code other than 0 does not reject.
   *
   * @throws CommandError when it cannot be executed (126, 127); MayflyError `exec.timeout`; `container.exited`
   */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    return this.#inside(argv, async () =>
      runExec(await startExec(this.parts, { argv, ...options }), options),
    );
  }

  /**
   * Runs a command in the container and resolves with its streams once it runs; for long output, dialogues and servers.
   *
   * @throws CommandError when it cannot be executed (126, 127); ContainerError `container.exited`; the signal's reason
   */
  async execStream(argv: readonly string[], options: ExecStreamOptions = {}): Promise<ExecStream> {
    options.signal?.throwIfAborted();
    return this.#inside(argv, async () =>
      openExecStream(await startExec(this.parts, { argv, ...options }), options),
    );
  }

  /**
   * Runs a command in the container on a terminal, as a person would who sits before it; resolves once it runs.
   *
   * @throws CommandError when it cannot be executed (126, 127); ContainerError `container.exited`; the signal's reason
   */
  async execTerminal(argv: readonly string[], options: ExecTerminalOptions = {}): Promise<TerminalStream> {
    options.signal?.throwIfAborted();
    const terminal = resolveTerminal(options.size ?? true)!;
    return this.#inside(argv, async () =>
      openTerminalStream(await startExecOnTerminal(this.parts, { argv, ...options, terminal }), options),
    );
  }

  /**
   * The streams of the container's first process, from now on; any number of processes may have them. What it wrote before is in
   * `logs`. It does not wait for who does not read.
   *
   * @throws ContainerError `container.exited`
   */
  attach(): Promise<AttachedStreams> {
    return attachToContainer(this.parts);
  }

  #inside<T>(argv: readonly string[], act: () => Promise<T>): Promise<T> {
    return whileRunning(this.parts, { doing: `executing ${argv[0]}`, act });
  }
}
