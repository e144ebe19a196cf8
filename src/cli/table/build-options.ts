import type { OptionSpecs } from '../command.ts';

/** What `build` takes. */
export const BUILD_OPTIONS = {
  tag: { type: 'list', short: 't', value: 'NAME', help: 'Name of the image; may be given several times' },
  file: {
    type: 'string',
    short: 'f',
    value: 'FILE',
    help: 'Dockerfile, or - for stdin (default: PATH/Dockerfile)',
  },
  buildArg: {
    type: 'list',
    value: 'NAME[=VALUE]',
    help: 'Value of an ARG; without one, that of the environment',
  },
  target: { type: 'string', value: 'STAGE', help: 'Stage that becomes the image (default: the last)' },
  noCache: { type: 'boolean', help: 'Make every step again' },
  platform: {
    type: 'string',
    value: 'PLATFORM',
    help: "Such as linux/amd64, which has to be this machine's",
  },
  secret: {
    type: 'list',
    value: 'id=NAME,src=FILE',
    help: 'Secret for RUN --mount=type=secret; env=VARIABLE in place of src',
  },
  label: { type: 'list', value: 'NAME=VALUE', help: 'Set a label' },
  allow: {
    type: 'list',
    value: 'WHAT',
    help: 'What the Dockerfile may do beyond what is usual, such as network.host',
  },
  pull: { type: 'boolean', help: 'Ask the registry for newer images of FROM' },
  quiet: { type: 'boolean', short: 'q', help: 'Show no progress, print the id alone' },
  iidfile: { type: 'string', value: 'FILE', help: 'File that the id is written to' },
  progress: {
    type: 'string',
    value: 'KIND',
    choices: ['auto', 'plain', 'tty'],
    default: 'auto',
    help: 'How progress is shown on stderr',
  },
} as const satisfies OptionSpecs;
