import type { ContainerInspectInfo } from 'dockerode';
import { expect, test } from 'vitest';
import { parseFilters } from '../../../../src/cli/listing/filters.ts';
import type { ContainerSummary } from '../../../../src/containers/list.ts';

const summary = {
  id: '0123456789ab',
  name: 'web-1',
  image: 'debian:12',
  imageId: 'sha256:feed',
  labels: { a: '1', b: '2' },
  exit: undefined,
} as unknown as ContainerSummary;
const info = {
  State: { Status: 'running' },
  NetworkSettings: { Networks: { default: {} } },
} as unknown as ContainerInspectInfo;
const wanted = (...filters: string[]) => parseFilters(filters)(summary, info);

test.each([
  [[], true],
  [['id=0123'], true],
  [['id=123'], false],
  [['name=web'], true],
  [['name=^eb'], false],
  [['label=a'], true],
  [['label=a=2'], false],
  [['label=a=1', 'label=b=2'], true],
  [['label=a=1', 'label=c'], false],
  [['status=exited', 'status=running'], true],
  [['status=running', 'name=db'], false],
  [['exited=0'], false],
  [['ancestor=debian:12'], true],
  [['ancestor=feed'], true],
  [['health=none'], true],
  [['network=default'], true],
  [['network=other'], false],
] as const)('%j', (filters, is) => {
  expect(wanted(...filters)).toBe(is);
});

test.each(['colour=red', 'name', 'constructor=x'])('%s is no filter', (filter) => {
  expect(() => parseFilters([filter])).toThrow(`not a filter: ${filter}`);
});
