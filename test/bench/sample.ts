/** Milliseconds, memory, or how many. */
export type Unit = 'ms' | 'KiB' | 'MiB' | 'count';

/** A row of the table: one figure, beside what it is measured against in the same run. All in `unit`. */
export interface Row {
  readonly name: string;
  readonly p50: number;
  readonly p95: number;
  readonly unit: Unit;
  /** p50 of the same work with nothing around it; null when it cannot be measured here. */
  readonly floor: number | null;
  /** p50 of the same through testcontainers or the docker command line, where a Docker engine answers; null elsewhere. */
  readonly peer: number | null;
}

/** The value below which the given share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

export interface Figures {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
  readonly peer: readonly number[];
}

/** A row that has nothing to be measured against. */
export function plainRow(name: string, ours: readonly number[], unit: Unit = 'ms'): Row {
  return toRow(name, { ours, floor: [], peer: [] }, unit);
}

export function toRow(name: string, { ours, floor, peer }: Figures, unit: Unit = 'ms'): Row {
  const middle = (samples: readonly number[]) =>
    samples.length === 0 ? null : round(percentile(samples, 0.5));
  return {
    name,
    p50: round(percentile(ours, 0.5)),
    p95: round(percentile(ours, 0.95)),
    unit,
    floor: middle(floor),
    peer: middle(peer),
  };
}

export async function milliseconds(task: () => unknown): Promise<number> {
  const begin = performance.now();
  await task();
  return performance.now() - begin;
}

const round = (value: number) => Math.round(value * 100) / 100;
