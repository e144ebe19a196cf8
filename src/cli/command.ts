import type { Output } from './output.ts';

/** An option of a command. Its key in the table, `noTrunc`, is `--no-trunc` on the command line. */
export type OptionSpec = ShownOption | RefusedOption;

/** One that docker has and we have not: it is known, so that whoever gives it is told what to do. */
export interface RefusedOption {
  readonly type: 'refused';
  /** What to do in its place, as a hint. */
  readonly instead: string;
}

export type ShownOption = {
  /** One letter. */
  readonly short?: string;
  /** What it does, as a sentence without a full stop. */
  readonly help: string;
} & (
  | { readonly type: 'boolean' }
  | {
      readonly type: 'string';
      /** What the value is called in the help: `NAME`. */
      readonly value: string;
      readonly default?: string;
      /** All that the value may be. Default: anything. */
      readonly choices?: readonly string[];
    }
  | {
      /** A whole number, 0 or more. */
      readonly type: 'integer';
      readonly value: string;
      readonly default?: number;
    }
  /** May be given several times. */
  | { readonly type: 'list'; readonly value: string }
);

/** A positional argument. They are given in the order of the table. */
export interface ArgumentSpec {
  readonly help: string;
  readonly optional?: true;
  /** Takes all that is left; the last argument only. */
  readonly variadic?: true;
  readonly choices?: readonly string[];
  /** What a shell offers for it, where that is not `choices`. Default: files. */
  readonly completes?: 'command' | 'container' | 'image' | 'network' | 'snapshot';
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;
export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;

type OptionValue<Spec extends OptionSpec> = Spec extends { type: 'boolean' }
  ? boolean
  : Spec extends { type: 'list' }
    ? readonly string[]
    : Spec extends { type: 'integer' }
      ? number | (Spec extends { default: number } ? never : undefined)
      : string | (Spec extends { default: string } ? never : undefined);

type ArgumentValue<Spec extends ArgumentSpec> = Spec extends { variadic: true }
  ? readonly string[]
  : string | (Spec extends { optional: true } ? undefined : never);

export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs as Specs[Name] extends RefusedOption ? never : Name]: OptionValue<
    Specs[Name]
  >;
};
export type ArgumentValues<Specs extends ArgumentSpecs> = {
  readonly [Name in keyof Specs]: ArgumentValue<Specs[Name]>;
};

/** What a command gets to work with. */
export interface Invocation<Options = object, Arguments = object> {
  readonly options: Options;
  readonly args: Arguments;
  readonly output: Output;
  readonly env: NodeJS.ProcessEnv;
  /** The table, for the commands that are about commands. */
  readonly commands: CommandTable;
}

/** Does the work; the result is the exit code. */
type Handler<Options, Arguments> = (invocation: Invocation<Options, Arguments>) => number | Promise<number>;

/** A line of the table. Parser, help, completion and the README's table come from it. */
export interface Command {
  readonly aliases: readonly string[];
  /** What it does: an imperative sentence without a full stop. */
  readonly summary: string;
  /** More of it, for the help alone. */
  readonly description?: string;
  readonly options: OptionSpecs;
  readonly arguments: ArgumentSpecs;
  /** Options end at the first argument: what follows belongs to another program. */
  readonly passThrough: boolean;
  readonly examples: readonly Example[];
  /** Exit code of a failure that is mayfly's own, as docker has it: 125 where other codes are those of a container. */
  readonly failure: 1 | 125;
  /** Loads the file with the handler; nothing else of the product is loaded before. */
  readonly load: () => Promise<{ readonly run: Handler<never, never> }>;
}

export interface Example {
  readonly command: string;
  readonly does: string;
}

/** By name; the words of a name are separated by one blank. */
export type CommandTable = Readonly<Record<string, Command>>;

/**
 * `unknown`, to which everything is assignable, when what the table gives is what the handler declares; else an object that nothing is
 * assignable to and that says where they differ.
 */
type Agreement<Given, Declared> = [Given] extends [Declared]
  ? [Exclude<keyof Given, keyof Declared>] extends [never]
    ? unknown
    : { readonly notHandled: Exclude<keyof Given, keyof Declared> }
  : { readonly wanted: Declared; readonly given: Given };

/**
 * A line of the table, checked against its handler: it does not compile when the handler takes an option that the table
 * does not have, or of another type, nor when the table has an option or argument that the handler does not take.
 */
export function command<
  Options extends object,
  Arguments extends object,
  const Opts extends OptionSpecs = Record<never, never>,
  const Args extends ArgumentSpecs = Record<never, never>,
>(
  line: Pick<Command, 'summary' | 'examples'> &
    Partial<Pick<Command, 'aliases' | 'description' | 'passThrough' | 'failure'>> & {
      readonly options?: Opts;
      readonly arguments?: Args;
      readonly load: () => Promise<{ readonly run: Handler<Options, Arguments> }>;
    } & Agreement<OptionValues<Opts>, Options> &
    Agreement<ArgumentValues<Args>, Arguments>,
): Command {
  const defaults = { aliases: [], options: {}, arguments: {}, passThrough: false, failure: 1 } as const;
  return { ...defaults, ...line } as unknown as Command;
}

/** Options that are worth telling of. */
export function shownOptions({ options }: Pick<Command, 'options'>): [name: string, spec: ShownOption][] {
  return Object.entries(options).filter(
    (entry): entry is [string, ShownOption] => entry[1].type !== 'refused',
  );
}

/** `noTrunc` -> `no-trunc` */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** How an argument is written in a synopsis: `CONTAINER`, `[COMMAND...]`. */
export function placeholder(name: string, { optional, variadic }: ArgumentSpec): string {
  const word = kebabCase(name).toUpperCase() + (variadic ? '...' : '');
  return optional ? `[${word}]` : word;
}
