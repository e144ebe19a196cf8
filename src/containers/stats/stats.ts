import { setTimeout as delay } from 'node:timers/promises';
import { findPlaces } from '../../kernel/cgroups/places.ts';
import { type CgroupStats, readStats } from '../../kernel/cgroups/stats.ts';
import { type NetworkTraffic, readNetworkTraffic } from '../../kernel/processes/network-traffic.ts';
import { type Duration, parseDuration } from '../../support/duration.ts';
import type { ContainerParts } from '../container-parts.ts';
import { innerPid } from '../inner-process.ts';
import { requireRunning } from '../running.ts';
import { ensureCounting } from './counting.ts';

/** What a container has used, at one moment. CPU time and network traffic are counted from its start. */
export interface ContainerStats extends CgroupStats {
  readonly at: Date;
  /**
   * From when memory, disk traffic, processes and throttling are counted. The start, but for one case: on cgroup v1, without
   * any limit and without the option `accounting`, it is the first `stats` or `update`. Memory that was taken before then
   * is not in `memory`.
   */
  readonly countedSince: Date;
  /** Undefined when the container shares the host's network. */
  readonly network: NetworkTraffic | undefined;
}

export interface StatsStreamOptions {
  /** Time between two. Default: one second. */
  readonly interval?: Duration;
  /** Ends the stream; its reason is thrown. */
  readonly signal?: AbortSignal;
}

const DEFAULT_INTERVAL: Duration = '1s';
/** How long after its counters the news of a container's end may come, in milliseconds. */
const ENDING = 1000;

/** @throws ContainerError `container.exited` when it has ended */
export async function containerStats(parts: ContainerParts): Promise<ContainerStats> {
  await requireRunning(parts, 'reading its stats');
  const countedSince = await ensureCounting(parts);
  const { engine, record } = parts;
  const { spec } = record;
  return {
    at: new Date(),
    countedSince,
    ...readStats(findPlaces(engine.hierarchies, spec.cgroup.name)),
    network: spec.network.host ? undefined : readNetworkTraffic(innerPid(parts)),
  };
}

/** The stats again and again, at once and then after each interval, until the container ends. */
export async function* containerStatsStream(
  parts: ContainerParts,
  { interval = DEFAULT_INTERVAL, signal }: StatsStreamOptions = {},
): AsyncGenerator<ContainerStats, void, void> {
  const pause = parseDuration(interval);
  const left = new AbortController();
  const over = signal === undefined ? left.signal : AbortSignal.any([left.signal, signal]);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const stats = await statsUnlessEnded(parts, over);
      if (stats === undefined) return;
      yield stats;
      await Promise.race([parts.run.exited, delay(pause, undefined, { signal: over }).catch(() => {})]);
    }
  } finally {
    left.abort();
  }
}

async function statsUnlessEnded(
  parts: ContainerParts,
  signal: AbortSignal,
): Promise<ContainerStats | undefined> {
  try {
    return await containerStats(parts);
  } catch (error) {
    const { exited } = parts.run;
    if ((await Promise.race([exited, delay(ENDING, undefined, { signal })])) === undefined) throw error;
    return undefined;
  }
}
