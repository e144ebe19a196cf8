import { type CommandTable, command } from '../command.ts';
import { FORMAT } from './arguments.ts';

const FORCE = { type: 'boolean', short: 'f', help: 'Do not ask' } as const;
const ALL = {
  type: 'boolean',
  short: 'a',
  help: 'Images with names too, where no container stands on them, and what is cached',
} as const;

/** Commands about mayfly and the machine. */
export const SYSTEM_COMMANDS = {
  'container prune': command({
    summary: 'Remove all containers that do not run',
    options: { force: FORCE },
    examples: [{ command: 'mayfly container prune -f', does: 'Removes them without asking' }],
    load: () => import('../commands/container-prune.ts'),
  }),
  'image prune': command({
    summary: 'Remove images that nobody needs',
    options: { all: ALL, force: FORCE },
    examples: [{ command: 'mayfly image prune -f', does: 'Removes those that have no name' }],
    load: () => import('../commands/image-prune.ts'),
  }),
  'system df': command({
    summary: 'Show what images and layers take of the disk',
    options: { format: FORMAT },
    examples: [{ command: 'mayfly system df', does: 'Shows bytes, and how many nothing with a name needs' }],
    load: () => import('../commands/system-df.ts'),
  }),
  'system prune': command({
    summary: 'Remove containers that do not run, and images that nobody needs',
    options: { all: ALL, force: FORCE },
    examples: [{ command: 'mayfly system prune -af', does: 'Leaves what runs, and nothing else' }],
    load: () => import('../commands/system-prune.ts'),
  }),
  version: command({
    summary: 'Show the version of mayfly and what it runs on',
    examples: [{ command: 'mayfly version', does: 'Shows the versions of mayfly, Node and the kernel' }],
    load: () => import('../commands/version.ts'),
  }),
  help: command({
    summary: 'Show what there is, or how one command is used',
    arguments: {
      command: { help: 'Name of the command', optional: true, variadic: true, completes: 'command' },
    },
    examples: [
      { command: 'mayfly help', does: 'Lists all commands' },
      { command: 'mayfly help doctor', does: 'Describes one of them, as mayfly doctor --help does' },
    ],
    load: () => import('../commands/help.ts'),
  }),
  doctor: command({
    summary: 'Say what this machine allows, and how to mend what it does not',
    description:
      'Tries what containers need for real, in namespaces that are gone afterwards, and leaves nothing behind.\n' +
      'Its exit code is 0 where containers start, and 1 where they do not.',
    options: {
      format: {
        type: 'string',
        value: 'FORMAT',
        choices: ['table', 'json'],
        default: 'table',
        help: 'How to print it',
      },
    },
    examples: [
      { command: 'mayfly doctor', does: 'Shows a table, and a command for each shortfall' },
      { command: 'mayfly doctor --format json', does: 'Shows the same for programs and bug reports' },
    ],
    load: () => import('../commands/doctor.ts'),
  }),
  presets: command({
    summary: 'List the services that can be run by name',
    options: { format: FORMAT, quiet: { type: 'boolean', short: 'q', help: 'Print names alone' } },
    examples: [
      { command: 'mayfly presets', does: 'Lists them, with their images and ports' },
      { command: "mayfly presets --format '{{.Name}} {{.Ports}}'", does: 'Lists names and ports' },
    ],
    load: () => import('../commands/presets.ts'),
  }),
  completion: command({
    summary: 'Print a script that completes commands and options in a shell',
    arguments: { shell: { help: 'The shell that the script is for', choices: ['bash', 'zsh', 'fish'] } },
    examples: [
      {
        command: 'source <(mayfly completion bash)',
        does: 'For this bash; put it into ~/.bashrc to keep it',
      },
      {
        command: 'mayfly completion zsh > /usr/local/share/zsh/site-functions/_mayfly',
        does: 'For every zsh that starts from now on',
      },
      {
        command: 'mayfly completion fish > ~/.config/fish/completions/mayfly.fish',
        does: 'For every fish that starts from now on',
      },
    ],
    load: () => import('../commands/completion.ts'),
  }),
} satisfies CommandTable;
