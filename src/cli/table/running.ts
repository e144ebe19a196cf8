import { type CommandTable, command } from '../command.ts';
import { CONTAINER, DETACH_KEYS, IMAGE } from './arguments.ts';
import { CREATE_OPTIONS, RUN_OPTIONS, SIG_PROXY } from './run-options.ts';

const COMMAND = { help: 'Command and its arguments', variadic: true } as const;

/** Commands that run something in a container, or are where it runs. */
export const RUNNING_COMMANDS = {
  run: command({
    summary: 'Run a command in a new container',
    description:
      'The container stays, ended, until it is removed. Its output is shown and signals are passed on, unless it is\n' +
      "detached. The exit code is the container's; 125 when it could not be started.\n" +
      'The name of a preset, alone, runs the preset, and says on stderr where it is reached; see mayfly presets.\n' +
      'The name of a snapshot, alone, starts a container from the snapshot in the same way; see mayfly snapshot ls.\n' +
      'Health is checked by this command for as long as it runs. With -d nobody checks it afterwards, so mayfly ps and\n' +
      'inspect show none; --wait waits for the first success.',
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
} satisfies CommandTable;
