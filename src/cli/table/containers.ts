import { type CommandTable, command } from '../command.ts';
import { CONTAINER, CONTAINERS, DETACH_KEYS, FORMAT, IMAGE, LIMITS, NO_TRUNC, QUIET } from './arguments.ts';
import { CREATE_OPTIONS, RUN_OPTIONS, SIG_PROXY } from './run-options.ts';

const COMMAND = { help: 'Command and its arguments', variadic: true } as const;
const TIME = {
  type: 'integer',
  short: 't',
  value: 'SECONDS',
  help: 'How long to wait before it is killed',
} as const;

/** Commands on containers. */
export const CONTAINER_COMMANDS = {
  run: command({
    summary: 'Run a command in a new container',
    description:
      'The container stays, ended, until it is removed. Its output is shown and signals are passed on, unless it is\n' +
      "detached. The exit code is the container's; 125 when it could not be started.\n" +
      'The name of a preset, alone, runs the preset, and says on stderr where it is reached; see mayfly presets.',
    options: RUN_OPTIONS,
    arguments: { image: IMAGE, command: { ...COMMAND, optional: true } },
    passThrough: true,
    failure: 125,
    examples: [
      { command: "mayfly run --rm debian:12 echo 'hello world'", does: 'Runs a command and leaves nothing' },
      { command: 'mayfly run -it --rm debian:12 bash', does: 'Opens a shell' },
      {
        command: 'mayfly run -d --name db -e POSTGRES_PASSWORD=secret -m 512m postgres:17',
        does: 'Starts a server that goes on without this shell',
      },
      { command: 'mayfly run -d postgres', does: 'Starts the preset postgres, and prints its URL on stderr' },
    ],
    load: () => import('../commands/run.ts'),
  }),
  create: command({
    summary: 'Make a new container that does not run yet',
    options: CREATE_OPTIONS,
    arguments: { image: IMAGE, command: { ...COMMAND, optional: true } },
    passThrough: true,
    failure: 125,
    examples: [
      {
        command: 'mayfly create -it --name box debian:12 bash',
        does: 'Makes a container for mayfly start -ai box',
      },
    ],
    load: () => import('../commands/create.ts'),
  }),
  attach: command({
    summary: 'Connect this terminal with the streams of a running container',
    options: {
      detachKeys: DETACH_KEYS,
      noStdin: { type: 'boolean', help: 'Only show what it writes' },
      sigProxy: SIG_PROXY,
    },
    arguments: { container: CONTAINER },
    examples: [{ command: 'mayfly attach box', does: 'Comes back to what ctrl-p ctrl-q has left' }],
    load: () => import('../commands/attach.ts'),
  }),
  exec: command({
    summary: 'Run one more command in a running container',
    options: {
      interactive: { type: 'boolean', short: 'i', help: 'Give it what comes on stdin' },
      tty: { type: 'boolean', short: 't', help: 'Run it on a terminal' },
      detach: { type: 'boolean', short: 'd', help: 'Leave it running in the background' },
      detachKeys: DETACH_KEYS,
      privileged: { type: 'boolean', help: 'With all capabilities and without a filter of system calls' },
      env: RUN_OPTIONS.env,
      envFile: RUN_OPTIONS.envFile,
      user: RUN_OPTIONS.user,
      workdir: RUN_OPTIONS.workdir,
    },
    arguments: { container: CONTAINER, command: COMMAND },
    passThrough: true,
    examples: [
      { command: 'mayfly exec db psql -U postgres -c "select 1"', does: 'Runs psql in the container db' },
      { command: 'mayfly exec -it db bash', does: 'Opens a shell in it' },
      { command: 'mayfly exec -i db sh < script.sh', does: 'Runs a script of the host in it' },
    ],
    load: () => import('../commands/exec.ts'),
  }),
  ps: command({
    summary: 'List containers',
    options: {
      all: { type: 'boolean', short: 'a', help: 'Those that have ended too' },
      filter: {
        type: 'list',
        short: 'f',
        value: 'KEY=VALUE',
        help: 'Only those with this name, id, label, status, …',
      },
      format: FORMAT,
      last: {
        type: 'integer',
        short: 'n',
        value: 'NUMBER',
        default: 0,
        help: 'Only the newest, ended or not; 0 for all',
      },
      latest: { type: 'boolean', short: 'l', help: 'Only the newest one, ended or not' },
      noTrunc: NO_TRUNC,
      quiet: QUIET,
    },
    examples: [
      { command: 'mayfly ps -a', does: 'Lists all containers' },
      { command: "mayfly ps --format '{{.Names}} {{.Status}}'", does: 'Lists names and states' },
    ],
    load: () => import('../commands/ps.ts'),
  }),
  logs: command({
    summary: 'Show what a container has written',
    options: {
      follow: { type: 'boolean', short: 'f', help: 'Go on until it ends' },
      since: { type: 'string', value: 'MOMENT', help: 'Only what it wrote since: 10m, or a date and time' },
      tail: { type: 'string', short: 'n', value: 'NUMBER', default: 'all', help: 'Only the last lines' },
      timestamps: { type: 'boolean', short: 't', help: 'Show when each line was written' },
    },
    arguments: { container: CONTAINER },
    examples: [
      { command: 'mayfly logs -f --tail 10 db', does: 'Shows the last ten lines, and what follows' },
    ],
    load: () => import('../commands/logs.ts'),
  }),
  inspect: command({
    summary: 'Show all that is known of containers and images',
    options: {
      format: { ...FORMAT, short: 'f' },
      type: {
        type: 'string',
        value: 'TYPE',
        choices: ['container', 'image'],
        help: 'What the names stand for',
      },
    },
    arguments: { name: { help: 'Containers or images', variadic: true, completes: 'container' } },
    examples: [
      { command: 'mayfly inspect db', does: 'Shows everything as JSON' },
      {
        command: "mayfly inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' db",
        does: 'Shows its address',
      },
    ],
    load: () => import('../commands/inspect.ts'),
  }),
  port: command({
    summary: 'Show where the ports of a container are published',
    arguments: { container: CONTAINER, port: { help: 'Only this one', optional: true } },
    examples: [
      { command: 'mayfly port web 80', does: 'Shows the address of the host that leads to port 80' },
    ],
    load: () => import('../commands/port.ts'),
  }),
  stats: command({
    summary: 'Show what containers use of CPU, memory, network and disk',
    options: {
      format: FORMAT,
      noStream: { type: 'boolean', help: 'Show it once' },
    },
    arguments: { container: { ...CONTAINERS.container, optional: true } },
    examples: [{ command: 'mayfly stats --no-stream', does: 'Shows it once for all running containers' }],
    load: () => import('../commands/stats.ts'),
  }),
  timeline: command({
    summary: 'Show where the milliseconds of a start went',
    description:
      'The phases: options and state (resolve), the image and its layers (layers), what is prepared for the kernel (program), the\n' +
      'first process (clone), its file systems (mounts), its network (network), and the command until it is ready (ready).',
    options: {
      last: { type: 'boolean', short: 'l', help: 'Of the container that was started last' },
      trace: { type: 'string', value: 'FILE', help: 'Write it for trace viewers, too' },
      format: {
        type: 'string',
        value: 'FORMAT',
        choices: ['table', 'json'],
        default: 'table',
        help: 'How to print it',
      },
    },
    arguments: { container: { ...CONTAINER, optional: true } },
    examples: [
      { command: 'mayfly timeline --last', does: 'Shows bars for the last start, even if it has ended' },
      {
        command: 'mayfly timeline --trace start.json db',
        does: 'Writes a file that ui.perfetto.dev and chrome://tracing open',
      },
    ],
    load: () => import('../commands/timeline.ts'),
  }),
  start: command({
    summary: 'Run containers that have been created, or have ended',
    options: {
      attach: { type: 'boolean', short: 'a', help: 'Show what it writes, and end with its exit code' },
      interactive: { type: 'boolean', short: 'i', help: 'Give it what comes on stdin, too' },
      detachKeys: DETACH_KEYS,
      sigProxy: SIG_PROXY,
    },
    arguments: CONTAINERS,
    examples: [
      { command: 'mayfly start db', does: 'Runs db again, with the files that it had' },
      { command: 'mayfly start -ai box', does: 'Runs it and is where it is' },
    ],
    load: () => import('../commands/start.ts'),
  }),
  stop: command({
    summary: 'End containers, with their stop signal first',
    options: { time: TIME },
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly stop -t 2 db web', does: 'Gives each of them two seconds' }],
    load: () => import('../commands/stop.ts'),
  }),
  restart: command({
    summary: 'End containers and run them again',
    options: { time: TIME },
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly restart db', does: 'Restarts the container db' }],
    load: () => import('../commands/restart.ts'),
  }),
  kill: command({
    summary: 'Send a signal to containers',
    options: {
      signal: {
        type: 'string',
        short: 's',
        value: 'SIGNAL',
        default: 'KILL',
        help: 'Name or number of the signal',
      },
    },
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly kill -s HUP db', does: 'Has a server read its configuration again' }],
    load: () => import('../commands/kill.ts'),
  }),
  pause: command({
    summary: 'Stop all processes of containers where they are',
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly pause db', does: 'Has db stand still' }],
    load: () => import('../commands/pause.ts'),
  }),
  unpause: command({
    summary: 'Let paused containers go on',
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly unpause db', does: 'Has db go on' }],
    load: () => import('../commands/unpause.ts'),
  }),
  wait: command({
    summary: 'Wait until containers have ended, and print their exit codes',
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly wait job', does: 'Prints 0 when job has ended well' }],
    load: () => import('../commands/wait.ts'),
  }),
  update: command({
    summary: 'Change the limits of running containers',
    options: LIMITS,
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly update --memory 1g --cpus 2 db', does: 'Gives db more' }],
    load: () => import('../commands/update.ts'),
  }),
  rm: command({
    summary: 'Remove containers that have ended',
    options: { force: { type: 'boolean', short: 'f', help: 'Kill those that run' } },
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly rm -f db', does: 'Removes db, running or not' }],
    load: () => import('../commands/rm.ts'),
  }),
} satisfies CommandTable;
