import { join } from 'node:path';
import type { ContainerInspectInfo } from 'dockerode';
import type { Image } from '../images/store/image.ts';
import type { Cgroup } from '../kernel/cgroups/cgroup.ts';
import { countOomKills } from '../kernel/cgroups/memory.ts';
import type { Attachment } from '../networks/attachment.ts';
import type { ShimProcess } from '../runtime/launch/shim-process.ts';
import { startExecProcess } from '../runtime/launch/start-exec.ts';
import type { ContainerSpec } from '../runtime/spec/container-spec.ts';
import { removeContainerDirectory } from '../runtime/state/container-store.ts';
import { type Duration, parseDuration } from '../support/duration.ts';
import { MayflyError } from '../support/error.ts';
import { type ContainerExit, type Evidence, endedError } from './container-error.ts';
import type { ContainerOptions } from './container-options.ts';
import type { Engine } from './engine.ts';
import { type ExecOptions, type ExecResult, runExec } from './exec/exec.ts';
import { inspectContainer } from './inspect.ts';
import type { LogLine } from './log-line.ts';
import { type LogsOptions, readLog } from './logs.ts';
import { releaseName } from './names.ts';
import { exposedPorts, onlyChild } from './ports.ts';
import { configuredEnv, envEntries, resolveProcess } from './process-spec.ts';
import { signalNumber } from './signals.ts';
import type { WaitStrategy } from './wait/strategy.ts';
import { waitUntilReady } from './wait/wait.ts';

const SIGKILL = 9;
const LAST_LINES = 50;
const DEFAULT_STOP_TIMEOUT: Duration = '10s';

/** What a handle is made of. */
export interface ContainerParts {
  readonly engine: Engine;
  readonly options: ContainerOptions;
  readonly spec: ContainerSpec;
  readonly image: Image;
  readonly name: string;
  readonly shim: ShimProcess;
  /** Host pid of the container's init. */
  readonly pid: number;
  readonly attachment: Attachment;
  readonly cgroup: Cgroup;
}

/**
 * A running container. It lives until `stop`, the end of an `await using` block, or the death of this process,
 * whichever comes first; then nothing of it is left.
 */
export class Container implements AsyncDisposable {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Where this process reaches the container. */
  readonly host: string;
  /** The container's own address; that of the host's loopback when it shares the host's network. */
  readonly ipAddress: string;
  /** All ports that the options or the image name. */
  readonly ports: readonly number[];
  readonly startedAt = new Date();
  readonly #parts: ContainerParts;
  readonly #exited: Promise<ContainerExit>;
  #exit: (ContainerExit & { readonly at: Date }) | undefined;
  #removal: Promise<void> | undefined;

  constructor(parts: ContainerParts) {
    const { spec, name, attachment, shim } = parts;
    this.#parts = parts;
    this.id = spec.id;
    this.name = name;
    this.ipAddress = attachment.ip ?? '127.0.0.1';
    this.host = this.ipAddress;
    this.ports = exposedPorts(parts.options.ports, parts.image.config);
    this.#exited = shim.exited.then(({ exitCode, report }) => {
      this.#exit = { exitCode, oomKilled: countOomKills(report.toString('latin1')) > 0, at: new Date() };
      return this.#exit;
    });
    // A script that forgets to stop its containers still ends; its end stops them.
    shim.unref();
  }

  /** The first of `ports`. @throws MayflyError `container.no-port` when there is none */
  get port(): number {
    const [first] = this.ports;
    if (first !== undefined) return first;
    throw new MayflyError('container.no-port', `${this.name} exposes no port`, {
      hint: 'name it with the option ports',
    });
  }

  /**
   * Runs a command in the container. A code other than 0 does not reject.
   *
   * @throws CommandError when it cannot be executed (126, 127); MayflyError `exec.timeout`; `container.exited`
   */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    if (argv.length === 0) throw new MayflyError('option.invalid', 'exec needs a command');
    if (this.#exit !== undefined)
      throw endedError({ ...(await this.#evidence()), exit: this.#exit }, `executing ${argv[0]}`);
    const { engine, spec, pid } = this.#parts;
    const process = resolveProcess(engine, {
      argv,
      // Not the environment that the first process got: HOME there is another user's.
      env: [...configuredEnv(this.#parts.options, this.#parts.image), envEntries(options.env)],
      cwd: options.cwd ?? spec.process.cwd,
      user: options.user ?? this.#parts.options.user ?? this.#parts.image.config.User ?? '',
      hostname: spec.hostname,
      roots: [`/proc/${this.#innerPid()}/root`],
    });
    const launch = {
      binary: engine.binary,
      pid: this.#innerPid(),
      label: `exec ${pid}`,
      chooseFailpoint: engine.failpoints.exec,
    };
    return runExec(
      startExecProcess({ process, cgroup: spec.cgroup, hostNetwork: spec.network.host }, launch),
      options,
    );
  }

  /** What the container has written, line by line; with `follow` until it ends. */
  logs(options: LogsOptions = {}): AsyncGenerator<LogLine, void, void> {
    return readLog({ path: this.#parts.spec.log.path, ended: this.#exited }, options);
  }

  /** The state and configuration, in the shape that Docker's engine gives. */
  async inspect(): Promise<ContainerInspectInfo> {
    return inspectContainer({ parts: this.#parts, container: this, exit: this.#exit });
  }

  /** Sends a signal to the container's process. Default: SIGKILL. Nothing happens when it has ended. */
  async kill(signal: string | number = 'SIGKILL'): Promise<void> {
    this.#parts.shim.signal(signalNumber(signal));
  }

  /**
   * Ends the container and removes everything of it: the stop signal first, SIGKILL after `timeout`.
   *
   * Stopping twice is no error. Default for `timeout`: the option stopTimeout, else 10 seconds.
   */
  stop({ timeout }: { timeout?: Duration } = {}): Promise<void> {
    this.#removal ??= this.#stop(timeout);
    return this.#removal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Resolves when the container is ready by `strategy`; without one, when its process runs, which it does. */
  async waitUntilReady(strategy: WaitStrategy | undefined, signal?: AbortSignal): Promise<void> {
    if (strategy === undefined) return;
    const { name, ipAddress, ports } = this;
    const target = {
      name,
      ipAddress,
      ports,
      pid: this.#parts.pid,
      logs: (options?: LogsOptions) => this.logs(options),
    };
    this.#parts.shim.ref();
    try {
      await waitUntilReady(strategy, target, {
        exited: this.#exited,
        evidence: () => this.#evidence(),
        signal,
      });
    } finally {
      this.#parts.shim.unref();
    }
  }

  /**
   * Ends the processes and keeps the directory: the first half of `stop`, for whoever wants what was written.
   *
   * @internal
   */
  async end(timeout?: Duration): Promise<{ engine: Engine; directory: string; exit: ContainerExit }> {
    const { engine, shim, options, image, spec } = this.#parts;
    shim.ref();
    if (this.#exit === undefined) {
      shim.signal(signalNumber(options.stopSignal ?? image.config.StopSignal ?? 'SIGTERM'));
      const limit = parseDuration(timeout ?? options.stopTimeout ?? DEFAULT_STOP_TIMEOUT);
      const timer = setTimeout(() => shim.signal(SIGKILL), limit);
      await this.#exited;
      clearTimeout(timer);
    }
    return { engine, directory: join(engine.home.containers, spec.id), exit: await this.#exited };
  }

  async #stop(timeout: Duration | undefined): Promise<void> {
    const { engine, attachment, cgroup } = this.#parts;
    await this.end(timeout);
    releaseName(engine.home, { name: this.name, id: this.id });
    // All of them, even when one fails: what is not undone here waits for the next sweep. The directory goes last, because
    // it is what the sweep finds the rest by.
    const results = await Promise.allSettled([
      cgroup.remove(),
      Promise.resolve().then(() => attachment.release()),
    ]);
    results.push(...(await Promise.allSettled([removeContainerDirectory(engine.home, this.id)])));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length > 0)
      throw new AggregateError(failures, `${this.name}: not everything could be removed`);
  }

  async #evidence(): Promise<Evidence> {
    const lastLines: LogLine[] = [];
    for await (const line of this.logs({ tail: LAST_LINES })) lastLines.push(line);
    return { name: this.name, exit: this.#exit, lastLines };
  }

  /** A process that is in all of the container's namespaces; without our init, that is init's only child. */
  #innerPid(): number {
    const { spec, pid } = this.#parts;
    return spec.init ? pid : onlyChild(pid);
  }
}
