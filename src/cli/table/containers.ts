import { type CommandTable, command } from '../command.ts';
import { CONTAINER, CONTAINERS, DETACH_KEYS, FORMAT, LIMITS, NO_TRUNC, QUIET } from './arguments.ts';
import { SIG_PROXY } from './run-options.ts';

const TIME = {
  type: 'integer',
  short: 't',
  value: 'SECONDS',
  help: 'How long to wait before it is killed',
} as const;

/** Commands on containers. */
export const CONTAINER_COMMANDS = {
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
  rename: command({
    summary: 'Give a container another name',
    arguments: { container: CONTAINER, newName: { help: 'The new name' } },
    examples: [{ command: 'mayfly rename db old-db', does: 'Makes its name free for another one' }],
    load: () => import('../commands/rename.ts'),
  }),
  top: command({
    summary: 'Show the processes of a container',
    arguments: {
      container: CONTAINER,
      psOptions: { help: "Options of the host's ps; -ef", optional: true, variadic: true },
    },
    passThrough: true,
    examples: [
      { command: 'mayfly top db', does: 'Lists them as ps -ef does' },
      { command: 'mayfly top db -eo pid,rss,args', does: 'Shows what memory each has' },
    ],
    load: () => import('../commands/top.ts'),
  }),
  events: command({
    summary: 'Show what happens to containers',
    description:
      'Creation, start, end and removal; what is done to them by kill, stop, restart, pause, rename, update and exec; ' +
      'the verdicts of health checks; and processes that were killed for want of memory. The past is known of ' +
      'containers that are still there.',
    options: {
      filter: {
        type: 'list',
        short: 'f',
        value: 'KEY=VALUE',
        help: 'Only those of this container, event, image or label',
      },
      format: { ...FORMAT, help: '`json`, or a template of Go such as {{.Action}}' },
      since: {
        type: 'string',
        value: 'MOMENT',
        help: 'What has happened since, too: 10m, or a date and time',
      },
      until: { type: 'string', value: 'MOMENT', help: 'Go on until then' },
    },
    examples: [
      {
        command: 'mayfly events --since 10m --filter event=die',
        does: 'Shows what has ended, and what will',
      },
    ],
    load: () => import('../commands/events.ts'),
  }),
  rm: command({
    summary: 'Remove containers that have ended',
    options: { force: { type: 'boolean', short: 'f', help: 'Kill those that run' } },
    arguments: CONTAINERS,
    examples: [{ command: 'mayfly rm -f db', does: 'Removes db, running or not' }],
    load: () => import('../commands/rm.ts'),
  }),
} satisfies CommandTable;
