import type { OptionSpecs } from '../command.ts';
import { DETACH_KEYS, LIMITS } from './arguments.ts';

/** What containers are made of. */
const PROCESS = {
  name: { type: 'string', value: 'NAME', help: 'Name of the container' },
  interactive: { type: 'boolean', short: 'i', help: 'Give it what comes on stdin' },
  tty: { type: 'boolean', short: 't', help: 'Run it on a terminal' },
  env: { type: 'list', short: 'e', value: 'NAME=VALUE', help: 'Set a variable' },
  envFile: { type: 'list', value: 'FILE', help: 'Set the variables that are in a file, one a line' },
  label: { type: 'list', short: 'l', value: 'NAME=VALUE', help: 'Set a label' },
  labelFile: { type: 'list', value: 'FILE', help: 'Set the labels that are in a file, one a line' },
  user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'User that the command runs as' },
  workdir: { type: 'string', short: 'w', value: 'PATH', help: 'Directory that the command runs in' },
  entrypoint: { type: 'string', value: 'COMMAND', help: "Command in place of the image's entrypoint" },
  init: { type: 'boolean', help: 'Have an init reap and pass on signals; there always is one' },
  rm: { type: 'boolean', help: 'Remove the container when it has ended' },
  restart: { type: 'string', value: 'POLICY', help: 'When to start it again: `no` is all there is' },
  stopSignal: { type: 'string', value: 'SIGNAL', help: 'What stop sends first' },
  stopTimeout: { type: 'integer', value: 'SECONDS', help: 'How long stop waits before it kills' },
  pull: {
    type: 'string',
    value: 'WHEN',
    choices: ['always', 'missing', 'never'],
    default: 'missing',
    help: 'When the registry is asked for the image',
  },
  platform: {
    type: 'string',
    value: 'OS/ARCH',
    help: 'Platform of the image, which has to be that of this machine',
  },
  quiet: { type: 'boolean', short: 'q', help: 'Show no progress of a pull; none is shown in any case' },
  cidfile: { type: 'string', value: 'FILE', help: 'Write the id into a file, which must not be there yet' },
} as const satisfies OptionSpecs;

const FILES = {
  volume: { type: 'list', short: 'v', value: 'SOURCE:TARGET[:ro]', help: 'Mount a path of the host' },
  mount: { type: 'list', value: 'type=TYPE,…', help: 'Mount something: type=bind or type=tmpfs' },
  tmpfs: { type: 'list', value: 'TARGET[:size=SIZE]', help: 'Mount an empty directory that lies in memory' },
  readOnly: { type: 'boolean', help: 'Nothing can be written but in mounts' },
  shmSize: { type: 'string', value: 'SIZE', help: 'Size of /dev/shm' },
  storageOpt: { type: 'list', value: 'size=SIZE', help: 'How much can be written, in memory' },
  device: { type: 'list', value: 'HOST[:PATH[:rwm]]', help: 'Give it a device of the host' },
  logOpt: { type: 'list', value: 'max-size=SIZE', help: 'How much of the log is kept' },
} as const satisfies OptionSpecs;

const NETWORK = {
  publish: { type: 'list', short: 'p', value: '[HOST PORT:]PORT', help: 'Make a port reachable on the host' },
  publishAll: { type: 'boolean', short: 'P', help: 'Make all exposed ports reachable on the host' },
  expose: { type: 'list', value: 'PORT', help: 'Name a port that it listens on' },
  hostname: { type: 'string', short: 'h', value: 'NAME', help: 'Host name that the container sees' },
  addHost: { type: 'list', value: 'NAME:ADDRESS', help: 'Add a line to its /etc/hosts' },
  network: {
    type: 'string',
    value: 'NETWORK',
    choices: ['default', 'none', 'host'],
    default: 'default',
    help: 'Network that the container is on',
  },
} as const satisfies OptionSpecs;

const PRIVILEGES = {
  privileged: { type: 'boolean', help: 'As much as this process may do itself' },
  capAdd: { type: 'list', value: 'CAPABILITY', help: 'Add a capability' },
  capDrop: { type: 'list', value: 'CAPABILITY', help: 'Take a capability away' },
  securityOpt: {
    type: 'list',
    value: 'OPTION',
    help: '`seccomp=FILE`, `seccomp=unconfined` or `no-new-privileges`',
  },
  ulimit: { type: 'list', value: 'NAME=SOFT[:HARD]', help: 'Set a limit of setrlimit(2)' },
  sysctl: { type: 'list', value: 'NAME=VALUE', help: "Set a kernel setting of the container's own" },
  userns: { type: 'string', value: 'MODE', help: '`private` for ids that nobody else has' },
  ipc: { type: 'string', value: 'MODE', help: '`private`, or `container:NAME` to share that of another' },
  pid: { type: 'string', value: 'MODE', help: '`container:NAME` to share the processes of another' },
  groupAdd: { type: 'list', value: 'GROUP', help: 'Add a group that the command is in' },
} as const satisfies OptionSpecs;

const MORE_LIMITS = {
  ...LIMITS,
  cpuPeriod: { type: 'integer', value: 'MICROSECONDS', help: 'Period that --cpu-quota is for; 100000' },
  cpuQuota: { type: 'integer', value: 'MICROSECONDS', help: 'CPU time in each period' },
  cpusetMems: { type: 'string', value: 'NODES', help: 'Memory nodes to allocate from' },
  blkioWeight: { type: 'integer', value: 'WEIGHT', help: "Share of a disk's time, 10 to 1000" },
  deviceReadBps: { type: 'list', value: 'DEVICE:RATE', help: 'Bytes a second that are read of a disk' },
  deviceWriteBps: { type: 'list', value: 'DEVICE:RATE', help: 'Bytes a second that are written to a disk' },
  deviceReadIops: { type: 'list', value: 'DEVICE:RATE', help: 'Reads a second of a disk' },
  deviceWriteIops: { type: 'list', value: 'DEVICE:RATE', help: 'Writes a second to a disk' },
} as const satisfies OptionSpecs;

const HEALTH = {
  healthCmd: { type: 'string', value: 'COMMAND', help: 'How to tell whether it is well' },
  healthInterval: { type: 'string', value: 'DURATION', help: 'Between two checks' },
  healthTimeout: { type: 'string', value: 'DURATION', help: 'After this a check has failed' },
  healthRetries: { type: 'integer', value: 'NUMBER', help: 'Failures in a row that make it unhealthy' },
  healthStartPeriod: { type: 'string', value: 'DURATION', help: 'In which failures do not count' },
  healthStartInterval: {
    type: 'string',
    value: 'DURATION',
    help: 'Between two checks until the first success',
  },
  noHealthcheck: { type: 'boolean', help: "Turn the image's health check off" },
} as const satisfies OptionSpecs;

const refused = <const Instead extends string>(instead: Instead) => ({ type: 'refused', instead }) as const;

/** Options of docker run that mean something which there is not, with what there is instead. */
const REFUSED = {
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

/** What `create` takes, and `run` as well. */
export const CREATE_OPTIONS = {
  ...PROCESS,
  ...FILES,
  ...NETWORK,
  ...PRIVILEGES,
  ...MORE_LIMITS,
  ...HEALTH,
  ...REFUSED,
} as const satisfies OptionSpecs;

export const SIG_PROXY = {
  type: 'string',
  value: 'BOOL',
  choices: ['true', 'false'],
  default: 'true',
  help: 'Pass signals on, where it has no terminal',
} as const;

/** What `run` takes. */
export const RUN_OPTIONS = {
  detach: { type: 'boolean', short: 'd', help: 'Print the id and leave the container running' },
  wait: { type: 'boolean', help: 'With -d: return only when its health check says that it is well' },
  detachKeys: DETACH_KEYS,
  sigProxy: SIG_PROXY,
  ...CREATE_OPTIONS,
} as const satisfies OptionSpecs;
