import { isAlive, listContainerIds } from '../runtime/state/container-store.ts';
import { readRunRecord } from '../runtime/state/run-record.ts';
import { MayflyError } from '../support/error.ts';
import { lazy } from '../support/lazy.ts';
import { z } from '../support/zod.ts';
import { type ContainerRecord, readOwnRecord } from './container-record.ts';
import { openEngine } from './engine.ts';
import { exposedPorts } from './ports.ts';
import { isCreated, isKept, lastExit } from './remains.ts';
import { type EndedRun, endedRun } from './run.ts';
import { SPARE_LABEL } from './spares/spare-label.ts';

/** One container, as it is at the moment of asking. */
export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  /** What the image was named by, else its id. */
  readonly image: string;
  readonly imageId: string;
  /** Entrypoint and arguments of the first process. */
  readonly command: readonly string[];
  readonly status: 'created' | 'running' | 'exited';
  readonly createdAt: Date;
  readonly startedAt: Date;
  /** How it ended; undefined before and while it runs. */
  readonly exit: EndedRun | undefined;
  /** The image's and the options'. */
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  /** Undefined on the networks `none` and `host`. */
  readonly ipAddress: string | undefined;
  readonly detached: boolean;
}

/** Which containers to list; a container has to meet all that is given. */
export interface ListOptions {
  /** Those that have ended too, and spares of snapshots. Default: false, unless `status` asks for them. */
  readonly all?: boolean;
  readonly status?: ContainerSummary['status'];
  /** A part of the name, or an expression that it matches. */
  readonly name?: string | RegExp;
  /** Labels by name; true for any value. */
  readonly labels?: Readonly<Record<string, string | true>>;
  /** What the image was named by, or its id. */
  readonly image?: string;
}

const schema = lazy(() =>
  z.partial(
    z.strictObject({
      all: z.boolean(),
      status: z.enum(['created', 'running', 'exited']),
      name: z.union([z.string(), z.instanceof(RegExp)]),
      labels: z.record(z.string(), z.union([z.string(), z.literal(true)])),
      image: z.string(),
    } satisfies { [K in keyof Required<ListOptions>]: z.ZodMiniType }),
  ),
);

/**
 * The containers of this home, whichever process has started them, the newest first.
 *
 * @throws MayflyError `option.invalid`, `container.unreadable-record`
 */
export async function listContainers(options: ListOptions = {}): Promise<ContainerSummary[]> {
  const { error } = schema().safeParse(options);
  if (error)
    throw new MayflyError('option.invalid', `invalid filters: ${z.prettifyError(error)}`, { cause: error });
  const { home } = openEngine();
  const found = listContainerIds(home).flatMap((id) => {
    const record = readOwnRecord(home, id);
    const summary = record && summarise(record, isAlive(home, id));
    if (summary === undefined || !isWanted(summary, options)) return [];
    // Whoever asks for spares gets them; and only we make one, by an option, never an image by its labels (CVE-2026-53488).
    const isHidden = SPARE_LABEL in (record!.options.labels ?? {}) && !options.all;
    return isHidden && options.labels?.[SPARE_LABEL] === undefined ? [] : [summary];
  });
  return found.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

/** Undefined for what is only just starting, and for what the next sweep removes. */
function summarise(record: ContainerRecord, alive: boolean): ContainerSummary | undefined {
  const { name, spec, image, options, attachment } = record;
  const created = !alive && isCreated(record);
  if (alive ? readRunRecord(spec.runRecord) === undefined : !isKept(record)) return undefined;
  return {
    id: spec.id,
    name,
    image: image.reference,
    imageId: image.id,
    command: spec.process.argv,
    status: alive ? 'running' : created ? 'created' : 'exited',
    createdAt: new Date(record.createdAt),
    startedAt: new Date(record.startedAt),
    exit: alive || created ? undefined : endedRun(lastExit(record)),
    labels: { ...image.config.Labels, ...options.labels },
    ports: exposedPorts(options.ports, image.config),
    ipAddress: attachment.ip,
    detached: spec.detached,
  };
}

function isWanted(
  summary: ContainerSummary,
  { all = false, status, name, labels = {}, image }: ListOptions,
): boolean {
  if (status === undefined ? !all && summary.status !== 'running' : summary.status !== status) return false;
  if (typeof name === 'string' && !summary.name.includes(name)) return false;
  if (name instanceof RegExp && summary.name.search(name) < 0) return false;
  if (image !== undefined && image !== summary.image && image !== summary.imageId) return false;
  return Object.entries(labels).every(([label, value]) =>
    value === true ? label in summary.labels : summary.labels[label] === value,
  );
}
