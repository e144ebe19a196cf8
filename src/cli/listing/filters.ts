import type { ContainerInspectInfo } from 'dockerode';
import type { ContainerSummary } from '../../containers/list.ts';
import { UsageError } from '../usage-error.ts';

type Test = (summary: ContainerSummary, info: ContainerInspectInfo) => boolean;

/** docker's filters on containers (docker ps, "Filtering"). */
const FILTERS: Readonly<Record<string, (value: string) => Test>> = {
  id:
    (value) =>
    ({ id }) =>
      id.startsWith(value),
  name: (value) => {
    const pattern = new RegExp(value);
    return ({ name }) => pattern.test(name);
  },
  label: (value) => {
    const [label, wanted] = cut(value);
    return ({ labels }) => Object.hasOwn(labels, label) && (wanted === undefined || labels[label] === wanted);
  },
  status:
    (value) =>
    (_, { State }) =>
      State.Status === value,
  exited:
    (value) =>
    ({ exit }) =>
      exit !== undefined && String(exit.exitCode) === value,
  ancestor:
    (value) =>
    ({ image, imageId }) =>
      image === value || imageId === value || imageId.startsWith(`sha256:${value}`),
  health:
    (value) =>
    (_, { State }) =>
      (State.Health?.Status ?? 'none') === value,
  network:
    (value) =>
    (_, { NetworkSettings }) =>
      value in NetworkSettings.Networks,
};

/**
 * One test out of `key=value`, as docker combines them: any of those of one key, all of the keys; labels all.
 *
 * @throws UsageError
 */
export function parseFilters(filters: readonly string[]): Test {
  const groups = new Map<string, Test[]>();
  filters.forEach((filter, i) => {
    const [key, value] = cut(filter);
    const make = Object.hasOwn(FILTERS, key) ? FILTERS[key] : undefined;
    if (make === undefined || value === undefined)
      throw new UsageError(
        `not a filter: ${filter}`,
        `write KEY=VALUE, with one of ${Object.keys(FILTERS).join(', ')}`,
      );
    const group = key === 'label' ? `label ${i}` : key;
    groups.set(group, [...(groups.get(group) ?? []), make(value)]);
  });
  return (summary, info) => [...groups.values()].every((tests) => tests.some((test) => test(summary, info)));
}

/** At the first `=`. */
function cut(text: string): [key: string, value: string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
