import { MayflyError } from '../../support/error.ts';

/** The most CPUs or nodes that a kernel can be built for (arch/x86/Kconfig, NR_CPUS_RANGE_END); Docker's cap, too. */
const MOST = 8192;
const DIGITS = 5;

/**
 * The numbers of a list such as `0-2,4` (cpuset(7), "List format").
 *
 * Never expands a range that is wider than any machine (CVE-2018-20699).
 *
 * @throws MayflyError `cgroup.cpuset-invalid`
 */
export function parseNumberList(list: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const part of list.trim().split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    const [first, last] = [match?.[1] ?? '', match?.[2] ?? match?.[1] ?? ''];
    const fits = last !== '' && first.length < DIGITS && last.length < DIGITS;
    if (!fits || Number(last) >= MOST || Number(last) < Number(first)) throw invalid(list);
    for (let number = Number(first); number <= Number(last); number += 1) numbers.add(number);
  }
  return numbers;
}

function invalid(list: string): MayflyError {
  const shown = list.length > 40 ? `${list.slice(0, 40)}…` : list;
  return new MayflyError('cgroup.cpuset-invalid', `not a list of numbers: ${JSON.stringify(shown)}`, {
    hint: `write numbers below ${MOST} and ranges of them, such as "0-2,4"`,
  });
}
