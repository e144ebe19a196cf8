import type { LimitChanges } from '../../containers/limits/limit-options.ts';
import type { Invocation } from '../command.ts';
import { eachContainer } from '../each.ts';
import { UsageError } from '../usage-error.ts';

type Options = {
  memory: string | undefined;
  memorySwap: string | undefined;
  memoryReservation: string | undefined;
  cpus: string | undefined;
  cpuShares: number | undefined;
  cpusetCpus: string | undefined;
  pidsLimit: number | undefined;
};

export function run({
  options,
  args,
  output,
}: Invocation<Options, { container: readonly string[] }>): Promise<number> {
  const { memory, memorySwap, memoryReservation, cpus, cpuShares, cpusetCpus, pidsLimit } = options;
  const given = {
    memory,
    memorySwap: memorySwap === '-1' ? 'unlimited' : memorySwap,
    memoryReservation,
    cpus: cpus === undefined ? undefined : Number(cpus),
    cpuShares,
    cpuset: cpusetCpus,
    pids: pidsLimit,
  };
  const changes: LimitChanges = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  if (Object.keys(changes).length === 0)
    throw new UsageError('nothing to change', 'give at least one limit, such as --memory 512m');
  return eachContainer(args.container, (container) => container.update(changes), output);
}
