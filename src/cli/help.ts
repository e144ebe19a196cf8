import {
  type Command,
  type CommandTable,
  kebabCase,
  placeholder,
  type ShownOption,
  shownOptions,
} from './command.ts';
import { alignColumns } from './output.ts';
import { UsageError } from './usage-error.ts';

const INDENT = '  ';

/** Lines on one command, on the commands of a group such as `network`, or on all. */
export function helpOn(name: string | undefined, commands: CommandTable): string[] {
  if (name === undefined) return describeAll(commands);
  const command = commands[name] ?? Object.values(commands).find(({ aliases }) => aliases.includes(name));
  if (command !== undefined) return describeCommand(nameOf(command, commands), command);
  const group = Object.entries(commands).filter(([other]) => other.startsWith(`${name} `));
  if (group.length > 0) return describeAll(Object.fromEntries(group));
  throw new UsageError(`unknown command '${name}'`, 'see mayfly help');
}

function nameOf(command: unknown, commands: CommandTable): string {
  return Object.keys(commands).find((name) => commands[name] === command)!;
}

function describeAll(commands: CommandTable): string[] {
  const rows = Object.entries(commands).map(([name, { summary }]) => [INDENT + name, summary]);
  return [
    'mayfly starts real services for tests in milliseconds; this is its command line.',
    '',
    ...section('SYNOPSIS', ['mayfly COMMAND [OPTIONS] [ARGUMENTS]', 'mayfly --version | --help']),
    '',
    'COMMANDS',
    ...alignColumns(rows),
    '',
    ...section('EXIT CODES', [
      '0 for success, 1 for a failure, 125 for a wrong command line or a failed start, 126 and 127 for a command',
      'that cannot be executed or found, 128 + N for one that signal N ended.',
    ]),
    '',
    'mayfly COMMAND --help says more about a command.',
  ];
}

/** In the order of a manual page. */
function describeCommand(name: string, command: Command): string[] {
  const { summary, description, aliases } = command;
  return [
    ...section('NAME', [`mayfly ${name} - ${summary[0]!.toLowerCase()}${summary.slice(1)}`]),
    '',
    ...section('SYNOPSIS', [synopsis(name, command)]),
    ...(aliases.length === 0 ? [] : ['', ...section('ALIASES', [aliases.join(', ')])]),
    ...(description === undefined ? [] : ['', ...section('DESCRIPTION', description.split('\n'))]),
    ...table('ARGUMENTS', argumentRows(command)),
    ...table('OPTIONS', [...optionRows(command), ['    --help', 'Show this']]),
    '',
    'EXAMPLES',
    ...command.examples.flatMap(({ command: line, does }) => [
      `${INDENT}${line}`,
      `${INDENT}${INDENT}${does}`,
    ]),
  ];
}

/** `mayfly completion SHELL` */
export function synopsis(name: string, { options, arguments: args }: Command): string {
  const words = Object.entries(args).map(([argument, spec]) => placeholder(argument, spec));
  return ['mayfly', name, ...(Object.keys(options).length > 0 ? ['[OPTIONS]'] : []), ...words].join(' ');
}

function argumentRows({ arguments: args }: Command): string[][] {
  return Object.entries(args).map(([name, spec]) => [
    placeholder(name, spec),
    `${spec.help}${spec.choices === undefined ? '' : `: ${spec.choices.join(', ')}`}`,
  ]);
}

function optionRows(command: Command): string[][] {
  return shownOptions(command).map(([name, spec]) => {
    const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
    const value = spec.type === 'boolean' ? '' : ` ${spec.value}`;
    return [`${short}--${kebabCase(name)}${value}`, spec.help + remarks(spec)];
  });
}

function remarks(spec: ShownOption): string {
  const parts: string[] = [];
  if (spec.type === 'list') parts.push('may be given several times');
  if (spec.type === 'string' && spec.choices !== undefined) parts.push(`one of ${spec.choices.join(', ')}`);
  if ('default' in spec) parts.push(`default: ${spec.default}`);
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

function table(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', ...section(title, alignColumns(rows))];
}

function section(title: string, lines: readonly string[]): string[] {
  return [title, ...lines.map((line) => `${INDENT}${line}`.trimEnd())];
}
