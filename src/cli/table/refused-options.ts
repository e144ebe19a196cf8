import type { OptionSpecs } from '../command.ts';

const refused = <const Instead extends string>(instead: Instead) => ({ type: 'refused', instead }) as const;

/** Options of docker run that mean something which there is not, with what there is instead. */
export const REFUSED = {
  attach: refused('leave it out: stdout and stderr are always shown, and -i gives stdin'),
  annotation: refused('use --label'),
  blkioWeightDevice: refused('use --blkio-weight, which is for all disks'),
  cgroupParent: refused("leave it out: a container's cgroup lies below that of mayfly"),
  cgroupns: refused('leave it out: a container always has a cgroup namespace of its own'),
  cpuRtPeriod: refused('use --cpus'),
  cpuRtRuntime: refused('use --cpus'),
  deviceCgroupRule: refused('use --device for each device, or --privileged'),
  dns: refused('leave it out: the resolver of the host is used'),
  dnsOption: refused('leave it out: the resolver of the host is used'),
  dnsSearch: refused('leave it out: the resolver of the host is used'),
  domainname: refused('use --hostname with the whole name'),
  gpus: refused('use --device for the nodes of the device'),
  ip: refused('leave it out: a container gets a free address, see mayfly inspect'),
  ip6: refused('leave it out: networks have IPv4 only'),
  isolation: refused('leave it out: it is of Windows'),
  link: refused('leave it out, and use the address that mayfly inspect shows'),
  logDriver: refused('leave it out, and read the log with mayfly logs'),
  macAddress: refused('leave it out: the kernel chooses one'),
  memorySwappiness: refused('use --memory-swap'),
  networkAlias: refused('leave it out: containers are reached at their addresses'),
  oomKillDisable: refused('use --memory-reservation'),
  oomScoreAdj: refused('use --memory-reservation'),
  runtime: refused('leave it out: mayfly is its own runtime'),
  uts: refused('leave it out: a container always has a host name of its own'),
  volumeDriver: refused('use -v with a path of the host'),
  volumesFrom: refused('use -v with the same paths of the host'),
} as const satisfies OptionSpecs;
