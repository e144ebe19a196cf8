import { containerEvents } from '../../containers/container-events.ts';
import type { ContainerEvent } from '../../containers/told/container-event.ts';
import type { Invocation } from '../command.ts';
import { parseMoment } from '../moment.ts';
import { compileTemplate } from '../template/render.ts';
import { UsageError } from '../usage-error.ts';

type Options = {
  filter: readonly string[];
  format: string | undefined;
  since: string | undefined;
  until: string | undefined;
};

export async function run({ options, output }: Invocation<Options>): Promise<number> {
  const { filter, format, since, until } = options;
  const isWanted = parseEventFilters(filter);
  const render = format === undefined ? describe : renderer(format);
  const stop = new AbortController();
  const end = () => stop.abort();
  const limit = until === undefined ? undefined : parseMoment(until);
  const timer = limit === undefined ? undefined : setTimeout(end, Math.max(0, limit.getTime() - Date.now()));
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  const from = since === undefined ? {} : { since: parseMoment(since) };
  for await (const event of containerEvents({ ...from, signal: stop.signal })) {
    if (limit !== undefined && event.at > limit) continue;
    if (isWanted(event)) output.print(render(event));
  }
  clearTimeout(timer);
  return 0;
}

function attributesOf({ image, name, labels, attributes }: ContainerEvent): Record<string, string> {
  return { ...labels, ...attributes, image, name };
}

/** `2026-11-25T10:00:00.123000000Z container die 0123… (exitCode=0, image=debian:12, name=box)` */
function describe(event: ContainerEvent): string {
  const attributes = Object.entries(attributesOf(event)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const time = event.at.toISOString().replace('Z', '000000Z');
  const words = attributes.map(([key, value]) => `${key}=${value}`).join(', ');
  return `${time} container ${event.action} ${event.id} (${words})`;
}

/** Fields as Docker's engine names them (API 1.44, `GET /events`). */
function renderer(format: string): (event: ContainerEvent) => string {
  const template = format === 'json' ? JSON.stringify : compileTemplate(format);
  return (event) =>
    template({
      status: event.action,
      id: event.id,
      from: event.image,
      Type: 'container',
      Action: event.action,
      Actor: { ID: event.id, Attributes: attributesOf(event) },
      scope: 'local',
      time: Math.floor(event.at.getTime() / 1000),
      timeNano: event.at.getTime() * 1e6,
      Status: event.action,
      ID: event.id,
      From: event.image,
      Scope: 'local',
      Time: Math.floor(event.at.getTime() / 1000),
      TimeNano: event.at.getTime() * 1e6,
    });
}

/** Of these a filter may leave out what comes after the colon. */
const OPEN = new Set(['health_status', 'exec_create', 'exec_start']);

const FILTERS: Readonly<Record<string, (event: ContainerEvent, value: string) => boolean>> = {
  container: ({ id, name }, value) => name === value || id.startsWith(value),
  event: ({ action }, value) => action === value || (OPEN.has(value) && action.startsWith(`${value}:`)),
  image: ({ image }, value) => image === value,
  label: ({ labels }, value) => {
    const at = value.indexOf('=');
    return at < 0 ? Object.hasOwn(labels, value) : labels[value.slice(0, at)] === value.slice(at + 1);
  },
  type: (_, value) => value === 'container',
};

/** Any of those of one key, all of the keys. @throws UsageError */
function parseEventFilters(filters: readonly string[]): (event: ContainerEvent) => boolean {
  const groups = new Map<string, string[]>();
  for (const filter of filters) {
    const at = filter.indexOf('=');
    const key = filter.slice(0, Math.max(at, 0));
    if (!Object.hasOwn(FILTERS, key))
      throw new UsageError(
        `not a filter: ${filter}`,
        `write KEY=VALUE, with one of ${Object.keys(FILTERS).join(', ')}`,
      );
    groups.set(key, [...(groups.get(key) ?? []), filter.slice(at + 1)]);
  }
  return (event) => [...groups].every(([key, values]) => values.some((value) => FILTERS[key]!(event, value)));
}
