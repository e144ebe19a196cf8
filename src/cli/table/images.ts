import { type CommandTable, command, type OptionSpecs } from '../command.ts';
import { FORMAT, IMAGE, NO_TRUNC, QUIET } from './arguments.ts';

const SILENT = { type: 'boolean', short: 'q', help: 'Show no progress' } as const;
const IMAGES = { image: { ...IMAGE, help: 'Names or ids of images', variadic: true } } as const;

/** What `build` takes. */
const BUILD_OPTIONS = {
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

/** Commands on images. */
export const IMAGE_COMMANDS = {
  build: command({
    summary: 'Make an image out of a Dockerfile',
    description:
      'PATH is the directory that COPY and ADD take files from, or - for a Dockerfile on stdin that takes none.\n' +
      'Progress goes to stderr, the id of the image to stdout.',
    options: BUILD_OPTIONS,
    arguments: { path: { help: 'Directory of the context, or -' } },
    examples: [
      { command: 'mayfly build -t app:1 .', does: 'Builds ./Dockerfile and calls the image app:1' },
      {
        command: 'mayfly build -q -f docker/Test.Dockerfile --build-arg NODE=22 --target test .',
        does: 'Builds one stage of another Dockerfile, and prints the id alone',
      },
    ],
    load: () => import('../commands/build.ts'),
  }),
  images: command({
    summary: 'List images',
    options: {
      digests: { type: 'boolean', help: "Show the registries' digests" },
      format: FORMAT,
      noTrunc: NO_TRUNC,
      quiet: QUIET,
      verify: {
        type: 'boolean',
        help: 'Read the whole store again instead, and say what is damaged; exit code 1 if anything is',
      },
    },
    arguments: { repository: { help: 'Only images of this name', optional: true, completes: 'image' } },
    examples: [
      { command: 'mayfly images', does: 'Lists the images of the local store' },
      { command: 'mayfly images -q debian', does: 'Lists the ids of those that are called debian' },
      { command: 'mayfly images --verify', does: 'Looks whether every blob and layer is what it should be' },
    ],
    load: () => import('../commands/images.ts'),
  }),
  pull: command({
    summary: 'Get an image from its registry',
    options: {
      platform: {
        type: 'string',
        value: 'PLATFORM',
        help: 'Such as linux/arm64 (default: that of this machine)',
      },
      quiet: SILENT,
    },
    arguments: { image: IMAGE },
    examples: [{ command: 'mayfly pull postgres:17', does: 'Gets what is new of it' }],
    load: () => import('../commands/pull.ts'),
  }),
  push: command({
    summary: 'Bring an image to the registry that its name says',
    options: { quiet: SILENT },
    arguments: { image: IMAGE },
    examples: [
      { command: 'mayfly push registry.example/app:1', does: 'Brings what the registry lacks of it' },
    ],
    load: () => import('../commands/push.ts'),
  }),
  search: command({
    summary: 'Look for images in a registry',
    options: {
      format: FORMAT,
      limit: { type: 'integer', value: 'NUMBER', default: 25, help: 'How many to show at most' },
      noTrunc: NO_TRUNC,
    },
    arguments: { term: { help: 'Part of a name; the registry may stand in front' } },
    examples: [{ command: 'mayfly search postgres', does: 'Searches Docker Hub' }],
    load: () => import('../commands/search.ts'),
  }),
  login: command({
    summary: 'Log in to a registry',
    description:
      'The registry is asked whether the password is right before it is kept, where docker login keeps it: with the helper that\n' +
      '~/.docker/config.json names, else in that file. Without a user name, what is kept already is tried.',
    options: {
      username: { type: 'string', short: 'u', value: 'NAME', help: 'User name' },
      password: {
        type: 'string',
        short: 'p',
        value: 'PASSWORD',
        help: 'Password; others can see it in the list of processes',
      },
      passwordStdin: { type: 'boolean', help: 'Read the password from stdin' },
    },
    arguments: { server: { help: 'Host of the registry (default: docker.io)', optional: true } },
    examples: [
      {
        command: 'mayfly login -u me --password-stdin registry.example',
        does: 'Logs in with the password that is piped into it',
      },
      { command: 'mayfly login -u me', does: 'Logs in to Docker Hub, and asks for the password' },
    ],
    load: () => import('../commands/login.ts'),
  }),
  logout: command({
    summary: 'Forget the password for a registry',
    arguments: { server: { help: 'Host of the registry (default: docker.io)', optional: true } },
    examples: [{ command: 'mayfly logout registry.example', does: 'Forgets it wherever login kept it' }],
    load: () => import('../commands/logout.ts'),
  }),
  tag: command({
    summary: 'Give one more name to an image',
    arguments: { image: IMAGE, name: { help: 'The new name' } },
    examples: [
      { command: 'mayfly tag app registry.example/app:1', does: 'Names app so that it can be pushed' },
    ],
    load: () => import('../commands/tag.ts'),
  }),
  history: command({
    summary: 'Show the steps that made an image',
    options: { format: FORMAT, noTrunc: NO_TRUNC, quiet: QUIET },
    arguments: { image: IMAGE },
    examples: [{ command: 'mayfly history --no-trunc postgres:17', does: 'Shows its steps in full' }],
    load: () => import('../commands/history.ts'),
  }),
  rmi: command({
    summary: 'Remove images',
    options: { force: { type: 'boolean', short: 'f', help: 'Even where a container stands on it' } },
    arguments: IMAGES,
    examples: [
      { command: 'mayfly rmi app:1 app:2', does: 'Takes two names away, and what nobody needs then' },
    ],
    load: () => import('../commands/rmi.ts'),
  }),
  import: command({
    summary: 'Make an image out of a tar of a file system',
    arguments: { file: { help: 'The tar, or - for stdin' }, name: { help: 'Name of the image' } },
    examples: [{ command: 'mayfly import rootfs.tar my/base:1', does: 'Makes the image my/base:1' }],
    load: () => import('../commands/import.ts'),
  }),
  save: command({
    summary: 'Write images into an archive',
    options: {
      output: { type: 'string', short: 'o', value: 'FILE', help: 'Where to write it (default: stdout)' },
    },
    arguments: IMAGES,
    examples: [{ command: 'mayfly save -o app.tar app:1', does: 'Writes an archive that docker load reads' }],
    load: () => import('../commands/save.ts'),
  }),
  load: command({
    summary: 'Read images from an archive',
    options: {
      input: { type: 'string', short: 'i', value: 'FILE', help: 'Where to read it (default: stdin)' },
      quiet: SILENT,
    },
    examples: [{ command: 'mayfly load -i app.tar', does: 'Reads what docker save or mayfly save wrote' }],
    load: () => import('../commands/load.ts'),
  }),
} satisfies CommandTable;
