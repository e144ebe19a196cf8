import { MayflyError } from '../support/error.ts';
import type { ContainerParts } from './container-parts.ts';
import { EventSource } from './events.ts';
import { exposedPorts, type Reach, reachableHost, reachablePort } from './ports.ts';
import { readTimeline, type Timeline } from './timeline/timeline.ts';

/** The part of a handle that says what the container is and where it is reached. */
export class ContainerFacts extends EventSource {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** All ports that the options or the image name. */
  readonly ports: readonly number[];
  readonly #parts: ContainerParts;

  constructor(parts: ContainerParts) {
    const { spec, name, options, image } = parts.record;
    super(parts.events);
    this.#parts = parts;
    this.id = spec.id;
    this.name = name;
    this.ports = exposedPorts(options.ports, image.config);
  }

  /** Where this process reaches the container. */
  get host(): string {
    return reachableHost(this.#reach);
  }

  /** The container's own address; that of the host's loopback when it shares the host's network. */
  get ipAddress(): string {
    return this.#parts.record.attachment.ip ?? '127.0.0.1';
  }

  get labels(): Readonly<Record<string, string>> {
    const { image, options } = this.#parts.record;
    return { ...image.config.Labels, ...options.labels };
  }

  /** When the present run began. */
  get startedAt(): Date {
    return new Date(this.#parts.record.startedAt);
  }

  /** Where the time of the last start went; undefined while it is not ready, and for a container that went long ago. */
  get timeline(): Timeline | undefined {
    return readTimeline(this.#parts.engine.home, this.id);
  }

  /**
   * Where the first of `ports` is reached at `host`.
   *
   * @throws MayflyError `container.no-port` when there is none
   */
  get port(): number {
    const [first] = this.ports;
    if (first !== undefined) return this.getMappedPort(first);
    throw new MayflyError('container.no-port', `${this.name} exposes no port`, {
      hint: 'name it with the option ports',
    });
  }

  /**
   * The number under which a port of the container is reached at `host`: its own, unless ports are published.
   *
   * @throws MayflyError `container.no-port` when others are published and it is not
   */
  getMappedPort(port: number): number {
    return reachablePort(this.#reach, port);
  }

  get #reach(): Reach {
    return { ipAddress: this.ipAddress, published: this.#parts.record.published };
  }

  /** For functions of mayfly that do more with a container than its handle does. @internal */
  get parts(): ContainerParts {
    return this.#parts;
  }
}
