import type { OptionSpecs } from '../command.ts';
import { LIMITS } from './arguments.ts';

/** What `run` takes. */
export const RUN_OPTIONS = {
  detach: { type: 'boolean', short: 'd', help: 'Print the id and leave the container running' },
  rm: { type: 'boolean', help: 'Remove the container when it has ended' },
  name: { type: 'string', value: 'NAME', help: 'Name of the container' },
  env: { type: 'list', short: 'e', value: 'NAME=VALUE', help: 'Set a variable' },
  envFile: { type: 'list', value: 'FILE', help: 'Set the variables that are in a file, one a line' },
  publish: { type: 'list', short: 'p', value: '[HOST PORT:]PORT', help: 'Make a port reachable on the host' },
  volume: { type: 'list', short: 'v', value: 'SOURCE:TARGET[:ro]', help: 'Mount a path of the host' },
  tmpfs: { type: 'list', value: 'TARGET[:size=SIZE]', help: 'Mount an empty directory that lies in memory' },
  label: { type: 'list', short: 'l', value: 'NAME=VALUE', help: 'Set a label' },
  user: { type: 'string', short: 'u', value: 'USER[:GROUP]', help: 'User that the command runs as' },
  workdir: { type: 'string', short: 'w', value: 'PATH', help: 'Directory that the command runs in' },
  hostname: { type: 'string', short: 'h', value: 'NAME', help: 'Host name that the container sees' },
  entrypoint: { type: 'string', value: 'COMMAND', help: "Command in place of the image's entrypoint" },
  network: {
    type: 'string',
    value: 'NETWORK',
    choices: ['default', 'none', 'host'],
    default: 'default',
    help: 'Network that the container is on',
  },
  ...LIMITS,
  shmSize: { type: 'string', value: 'SIZE', help: 'Size of /dev/shm' },
  stopSignal: { type: 'string', value: 'SIGNAL', help: 'What stop sends first' },
  stopTimeout: { type: 'integer', value: 'SECONDS', help: 'How long stop waits before it kills' },
  pull: {
    type: 'string',
    value: 'WHEN',
    choices: ['always', 'missing', 'never'],
    default: 'missing',
    help: 'When the registry is asked for the image',
  },
} as const satisfies OptionSpecs;
