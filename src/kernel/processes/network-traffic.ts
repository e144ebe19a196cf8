import { readFileSync } from 'node:fs';

/** What has gone through the interfaces of a network namespace, loopback apart. */
export interface NetworkTraffic {
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
}

/** Sums `/proc/PID/net/dev` up (proc_pid_net(5)): a name, eight numbers of what was received, eight of what was sent. */
export function parseNetworkTraffic(text: string): NetworkTraffic {
  const rows = text.split('\n').flatMap((line) => {
    const [name, numbers] = line.split(':');
    return numbers === undefined || name!.trim() === 'lo' ? [] : [numbers.trim().split(/\s+/).map(Number)];
  });
  const sum = (column: number) => rows.reduce((total, row) => total + row[column]!, 0);
  return { receivedBytes: sum(0), receivedPackets: sum(1), sentBytes: sum(8), sentPackets: sum(9) };
}

/** @throws Error ENOENT when the process is gone */
export function readNetworkTraffic(pid: number): NetworkTraffic {
  return parseNetworkTraffic(readFileSync(`/proc/${pid}/net/dev`, 'latin1'));
}
