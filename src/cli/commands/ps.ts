import type { ContainerInspectInfo } from 'dockerode';
import { getContainer } from '../../containers/find.ts';
import { type ContainerSummary, listContainers } from '../../containers/list.ts';
import { isMayflyError } from '../../support/error.ts';
import type { Invocation } from '../command.ts';
import { parseFilters } from '../listing/filters.ts';
import { printListing } from '../listing/listing.ts';
import { ago, ellipsis, goTime, humanDuration, shortId } from '../listing/words.ts';
import { describePorts } from '../publish.ts';

type Options = {
  all: boolean;
  filter: readonly string[];
  format: string | undefined;
  last: number;
  latest: boolean;
  noTrunc: boolean;
  quiet: boolean;
};

const HEADINGS = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Names: 'NAMES',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  Networks: 'NETWORKS',
  LocalVolumes: 'LOCAL VOLUMES',
  Platform: 'PLATFORM',
  Size: 'SIZE',
} as const;
const COLUMNS = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'] as const;
const COMMAND_LENGTH = 20;

type Row = Record<keyof typeof HEADINGS, string> & { Label: (label: string) => string };

export async function run({ options, output }: Invocation<Options>): Promise<number> {
  const { filter, format, quiet, noTrunc } = options;
  const last = options.latest ? 1 : options.last;
  const isWanted = parseFilters(filter);
  const all = options.all || last > 0 || filter.some((text) => text.startsWith('status='));
  const rows: Row[] = [];
  for (const summary of await listContainers({ all })) {
    const info = await inspect(summary.id);
    if (info === undefined || !isWanted(summary, info)) continue;
    rows.push(toRow(summary, { info, noTrunc }));
    if (rows.length === last) break;
  }
  printListing({ headings: HEADINGS, columns: COLUMNS, rows, key: 'ID' }, { format, quiet }, output);
  return 0;
}

/** Undefined for a container that has gone since it was listed. */
async function inspect(id: string): Promise<ContainerInspectInfo | undefined> {
  try {
    await using container = await getContainer(id);
    return await container.inspect();
  } catch (error) {
    if (isMayflyError(error, 'container.not-found')) return undefined;
    throw error;
  }
}

function toRow(
  summary: ContainerSummary,
  { info, noTrunc }: { info: ContainerInspectInfo; noTrunc: boolean },
): Row {
  // Quoted as docker's daemon does it (moby daemon/list.go).
  const command = summary.command.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ');
  return {
    ID: noTrunc ? summary.id : shortId(summary.id),
    Image: summary.image,
    Command: `"${noTrunc ? command : ellipsis(command, COMMAND_LENGTH)}"`,
    CreatedAt: goTime(summary.createdAt),
    RunningFor: ago(summary.createdAt),
    Ports: summary.status === 'running' ? describePorts(info) : '',
    State: info.State.Status,
    Status: statusOf(summary, info),
    Names: summary.name,
    Labels: Object.entries(summary.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(','),
    Mounts: info.Mounts.map(({ Source, Destination }) => Source || Destination).join(','),
    Networks: Object.keys(info.NetworkSettings.Networks).join(','),
    LocalVolumes: '0',
    // There are no containers of another machine here.
    Platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    // What docker says without --size.
    Size: '0B',
    Label: (label: string) => summary.labels[label] ?? '',
  };
}

/** `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago` */
function statusOf({ status, exit, startedAt }: ContainerSummary, { State }: ContainerInspectInfo): string {
  if (status === 'created') return 'Created';
  if (exit !== undefined) return `Exited (${exit.exitCode}) ${ago(exit.at)}`;
  const health = State.Health?.Status;
  const remark = State.Paused ? 'Paused' : health === 'starting' ? 'health: starting' : health;
  return `Up ${humanDuration(Date.now() - startedAt.getTime())}${remark === undefined ? '' : ` (${remark})`}`;
}
