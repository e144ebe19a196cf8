import { totalmem } from 'node:os';
import type { Container } from '../../containers/container.ts';
import { getContainer } from '../../containers/find.ts';
import { listContainers } from '../../containers/list.ts';
import type { ContainerStats } from '../../containers/stats/stats.ts';
import type { Invocation } from '../command.ts';
import { printListing } from '../listing/listing.ts';
import { binarySize, decimalSize, shortId } from '../listing/words.ts';

type Options = { format: string | undefined; noStream: boolean };

const HEADINGS = {
  Container: 'CONTAINER',
  ID: 'CONTAINER ID',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
};
const COLUMNS = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];
/** Clears the terminal and goes to its top (ECMA-48: ED, CUP). */
const CLEAR = '\x1b[2J\x1b[H';

interface Sample {
  readonly container: Container;
  readonly before: ContainerStats;
  readonly now: ContainerStats;
}

export async function run({
  options,
  args,
  output,
}: Invocation<Options, { container: readonly string[] }>): Promise<number> {
  const { format, noStream } = options;
  const names = args.container.length > 0 ? args.container : (await listContainers()).map(({ id }) => id);
  const containers = await Promise.all(names.map(getContainer));
  const streams = containers.map((container) => ({ container, stream: container.statsStream() }));
  let before = await Promise.all(streams.map(async ({ stream }) => (await stream.next()).value ?? undefined));
  for (;;) {
    const now = await Promise.all(
      streams.map(async ({ stream }) => (await stream.next()).value ?? undefined),
    );
    const samples = streams.flatMap(({ container }, i): Sample[] => {
      const [earlier, later] = [before[i], now[i]];
      return earlier && later ? [{ container, before: earlier, now: later }] : [];
    });
    if (!noStream && process.stdout.isTTY) output.write('stdout', CLEAR);
    printListing(
      { headings: HEADINGS, columns: COLUMNS, rows: samples.map(toRow), key: 'ID' },
      { format },
      output,
    );
    if (noStream || samples.length === 0) break;
    before = now;
  }
  for (const { container, stream } of streams) {
    await stream.return();
    await container[Symbol.asyncDispose]();
  }
  return 0;
}

function toRow({ container, before, now }: Sample): Record<keyof typeof HEADINGS, string> {
  const { memory, network, io, pids } = now;
  // docker counts page cache that could be given up as free (cli command/container/stats_helpers.go).
  const used = memory === undefined ? 0 : memory.current - memory.inactiveFile;
  const limit = memory?.limit ?? totalmem();
  const cpu = ((now.cpu?.total ?? 0) - (before.cpu?.total ?? 0)) / (now.at.getTime() - before.at.getTime());
  const pair = (a: number | undefined, b: number | undefined) =>
    `${decimalSize(a ?? 0)} / ${decimalSize(b ?? 0)}`;
  return {
    Container: shortId(container.id),
    ID: shortId(container.id),
    Name: container.name,
    CPUPerc: `${(cpu * 100).toFixed(2)}%`,
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    MemPerc: `${((used / limit) * 100).toFixed(2)}%`,
    NetIO: pair(network?.receivedBytes, network?.sentBytes),
    BlockIO: pair(io?.readBytes, io?.writtenBytes),
    PIDs: String(pids?.current ?? 0),
  };
}
