import { Argument, CommanderError, InvalidArgumentError, Option, Command as Parser } from 'commander';
import { type ArgumentSpec, type Command, type CommandTable, kebabCase, type OptionSpec } from './command.ts';
import { UsageError } from './usage-error.ts';

/** What a command line asks for. */
export type Request =
  | {
      readonly kind: 'run';
      /** The command's name in the table. */
      readonly name: string;
      readonly options: Readonly<Record<string, unknown>>;
      readonly args: Readonly<Record<string, unknown>>;
    }
  /** `name` is undefined for the help on all commands. */
  | { readonly kind: 'help'; readonly name: string | undefined }
  | { readonly kind: 'version' };

/**
 * Reads a command line, the words after `mayfly`.
 *
 * @throws UsageError
 */
export function parseCommandLine(words: readonly string[], commands: CommandTable): Request {
  const mentioned = mentionedBy(words);
  try {
    return parse(words, only(words[0], commands), mentioned);
  } catch (error) {
    // With every option, of which one may have been meant.
    if (error instanceof UsageError) return parse(words, only(words[0], commands), () => true);
    throw error;
  }
}

type Mentioned = (name: string, spec: OptionSpec) => boolean;

/**
 * Which options a command line can mean. The parser is told of no others, because it looks at all for each that it is told of. `name` is
 * that of the table.
 */
function mentionedBy(words: readonly string[]): Mentioned {
  const long = new Set(words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]));
  const short = words.filter((word) => /^-[^-]/.test(word)).join('');
  return (name, spec) =>
    long.has(`--${kebabCase(name)}`) ||
    (spec.type !== 'refused' && spec.short !== undefined && short.includes(spec.short));
}

function parse(words: readonly string[], commands: CommandTable, mentioned: Mentioned): Request {
  let request: Request | undefined;
  const parsers = new Map<string, Parser>();
  const add = (parent: Parser, path: string): Parser => {
    const parser = parent.command(path.split(' ').at(-1)!);
    parsers.set(path, parser);
    return onHelp(parser, () => {
      request = { kind: 'help', name: path };
    });
  };
  const root = onHelp(createRoot(), () => {
    request = { kind: 'help', name: undefined };
  });
  for (const [name, command] of Object.entries(commands)) {
    const [group] = name.split(' ');
    const parent = name === group ? root : (parsers.get(group!) ?? add(root, group!));
    const parser = add(parent, name).aliases(command.aliases);
    const options = describe(parser, command, mentioned);
    parser.action((...given: unknown[]) => {
      refuse(command, parser.opts());
      const args = Object.fromEntries(Object.keys(command.arguments).map((key, i) => [key, given[i]]));
      request = { kind: 'run', name, options: valuesOf(parser, command, options), args };
    });
  }
  try {
    root.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { kind: 'version' };
    if (request === undefined) throw usageError(error, parsers.has(words[0] ?? '') ? words[0] : undefined);
  }
  return request ?? { kind: 'help', name: undefined };
}

/** The commands that a first word can mean: most of the time one, of which alone a parser is made then. All, if it means none. */
function only(word: string | undefined, commands: CommandTable): CommandTable {
  const meant = Object.entries(commands).filter(
    ([name, { aliases }]) => name.split(' ')[0] === word || aliases.includes(word ?? ''),
  );
  return meant.length === 0 ? commands : Object.fromEntries(meant);
}

/** @throws UsageError for an option that there only is to be refused */
function refuse({ options }: Command, given: Readonly<Record<string, unknown>>): void {
  for (const [name, spec] of Object.entries(options)) {
    if (spec.type === 'refused' && given[name] !== undefined)
      throw new UsageError(`--${kebabCase(name)} is not supported`, spec.instead);
  }
}

function createRoot(): Parser {
  return new Parser('mayfly')
    .version('', '-v, --version')
    .helpOption('-h, --help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
}

/** Asking for help ends the parse: our own text is made elsewhere. */
function onHelp(parser: Parser, asked: () => void): Parser {
  parser.configureHelp({
    formatHelp: () => {
      asked();
      return '';
    },
  });
  // -h is the host name of a container, as in docker.
  return parser.parent === null ? parser : parser.helpOption('--help');
}

/** Tells the parser what the table says. Returns the options that are mentioned, by their keys in the table. */
function describe(parser: Parser, command: Command, mentioned: Mentioned): Map<string, Option> {
  if (command.passThrough) parser.passThroughOptions();
  for (const [name, spec] of Object.entries(command.arguments)) parser.addArgument(toArgument(name, spec));
  const options = new Map<string, Option>();
  for (const [name, spec] of Object.entries(command.options)) {
    if (!mentioned(name, spec)) continue;
    const option = toOption(name, spec);
    parser.addOption(option);
    options.set(name, option);
  }
  return options;
}

function toArgument(name: string, spec: ArgumentSpec): Argument {
  const word = kebabCase(name) + (spec.variadic ? '...' : '');
  const argument = new Argument(spec.optional ? `[${word}]` : `<${word}>`);
  return spec.choices === undefined ? argument : argument.choices(spec.choices);
}

function toOption(name: string, spec: OptionSpec): Option {
  if (spec.type === 'refused') return new Option(`--${kebabCase(name)} [value]`);
  const flags = `${spec.short === undefined ? '' : `-${spec.short}, `}--${kebabCase(name)}`;
  if (spec.type === 'boolean') return new Option(flags);
  const option = new Option(`${flags} <${spec.value}>`);
  if (spec.type === 'list')
    return option.default([]).argParser((value, before: readonly string[]) => [...before, value]);
  if (spec.type === 'integer') option.argParser(parseInteger);
  else if (spec.choices !== undefined) option.choices(spec.choices);
  return spec.default === undefined ? option : option.default(spec.default);
}

function parseInteger(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('A whole number, 0 or more, is expected.');
}

function valuesOf(
  parser: Parser,
  command: Command,
  options: ReadonlyMap<string, Option>,
): Record<string, unknown> {
  const values = parser.opts();
  return Object.fromEntries(
    Object.entries(command.options).map(([name, spec]) => {
      const option = options.get(name);
      if (option === undefined) return [name, defaultOf(spec)];
      const value: unknown = values[option.attributeName()];
      // `--no-trunc` sets `trunc`, which is true without it.
      if (option.negate) return [name, value === false];
      return [name, option.isBoolean() ? value === true : value];
    }),
  );
}

function defaultOf(spec: OptionSpec): unknown {
  if (spec.type === 'refused') return undefined;
  if (spec.type === 'boolean') return false;
  return spec.type === 'list' ? [] : spec.default;
}

/** `error: unknown option '--foo'\n(Did you mean --format?)` in our own form. */
function usageError({ message }: CommanderError, name: string | undefined): UsageError {
  const [what, suggestion] = message.replace(/^error: /, '').split('\n');
  const help = `see mayfly ${name === undefined ? 'help' : `${name} --help`}`;
  const meant = /\((.*)\)/.exec(suggestion ?? '')?.[1];
  return new UsageError(
    what!.replace(/\.$/, ''),
    meant === undefined ? help : `${meant[0]!.toLowerCase()}${meant.slice(1)} ${help}`,
  );
}
