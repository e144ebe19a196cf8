import { type CommandTable, kebabCase, type ShownOption, shownOptions } from '../command.ts';

/** What can be typed after a certain command; the same for every shell. */
export interface Completion {
  /** Name of the command or of a group of commands; empty for what comes right after `mayfly`. */
  readonly command: string;
  readonly words: readonly Candidate[];
  /** A command line that prints more of them. */
  readonly query: string | undefined;
  readonly options: readonly OptionCandidate[];
}

export interface Candidate {
  readonly word: string;
  readonly help: string;
}

export interface OptionCandidate {
  /** `--format` */
  readonly long: string;
  /** `-f` */
  readonly short: string | undefined;
  readonly help: string;
  readonly takesValue: boolean;
  /** Empty when it takes none, or any. */
  readonly choices: readonly string[];
}

const QUERIES = {
  container: "mayfly ps --all --format '{{.Names}}'",
  network: "mayfly network ls --format '{{.Name}}'",
  image: "mayfly images --format '{{.Repository}}:{{.Tag}}'",
  snapshot: "mayfly snapshot ls --format '{{.Name}}'",
} as const;

const HELP_OPTION: OptionCandidate = {
  long: '--help',
  short: undefined,
  help: 'Show how it is used',
  takesValue: false,
  choices: [],
};

/** The root, then groups and commands in the order of the table. */
export function completionsOf(commands: CommandTable): Completion[] {
  const completions: Completion[] = [
    { command: '', words: childrenOf('', commands), options: [HELP_OPTION], query: undefined },
  ];
  const groups = new Set(
    Object.keys(commands)
      .filter((name) => name.includes(' '))
      .map((name) => name.split(' ')[0]!),
  );
  for (const group of groups) {
    if (!(group in commands))
      completions.push({
        command: group,
        words: childrenOf(group, commands),
        options: [HELP_OPTION],
        query: undefined,
      });
  }
  for (const [name, line] of Object.entries(commands)) {
    const { arguments: args, aliases } = line;
    const words = Object.values(args).flatMap(({ choices = [], completes }) => [
      ...choices.map((word) => ({ word, help: '' })),
      ...(completes === 'command' ? childrenOf('', commands) : []),
    ]);
    const asked = Object.values(args)[0]?.completes;
    const query = asked === undefined || asked === 'command' ? undefined : QUERIES[asked];
    const candidates = [...shownOptions(line).map(([key, spec]) => optionOf(key, spec)), HELP_OPTION];
    for (const command of [name, ...aliases])
      completions.push({ command, words, options: candidates, query });
  }
  return completions;
}

/** The next word of all names that begin with `group`. */
function childrenOf(group: string, commands: CommandTable): Candidate[] {
  const found = new Map<string, string>();
  const prefix = group === '' ? '' : `${group} `;
  for (const [name, { summary }] of Object.entries(commands)) {
    if (!name.startsWith(prefix)) continue;
    const [word, ...more] = name.slice(prefix.length).split(' ');
    if (!found.has(word!)) found.set(word!, more.length === 0 ? summary : `Commands on a ${word}`);
  }
  return [...found].map(([word, help]) => ({ word, help }));
}

function optionOf(name: string, spec: ShownOption): OptionCandidate {
  return {
    long: `--${kebabCase(name)}`,
    short: spec.short === undefined ? undefined : `-${spec.short}`,
    help: spec.help,
    takesValue: spec.type !== 'boolean',
    choices: (spec.type === 'string' ? spec.choices : undefined) ?? [],
  };
}

/** Names that are followed by a second word, such as `network`. */
export function groupsOf(completions: readonly Completion[]): string[] {
  return completions
    .map(({ command }) => command.split(' '))
    .flatMap(([group, more]) => (more ? [group!] : []));
}
