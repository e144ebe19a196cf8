// biome-ignore-all lint/suspicious/noTemplateCurlyInString: parameter expansions of the shells
import { type Completion, groupsOf } from './model.ts';
import { findCandidates, findCommand, quote } from './shell-cases.ts';

/** The script of each shell, as lines; all of them offer files where they know nothing better. */
export const SCRIPTS: Readonly<Record<string, (completions: readonly Completion[]) => string[]>> = {
  bash: (completions) => [
    '# mayfly for bash 4 and later: source <(mayfly completion bash)',
    '_mayfly() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    ...indent(findCommand(completions), 4),
    '  done',
    ...indent(findCandidates(completions), 2),
    '  COMPREPLY=($(compgen -W "$candidates" -- "$cur"))',
    '}',
    'complete -o default -F _mayfly mayfly',
  ],
  zsh: (completions) => [
    '#compdef mayfly',
    '_mayfly() {',
    '  local cur=$words[CURRENT] prev=$words[CURRENT-1] command= word',
    '  for word in "${(@)words[2,CURRENT-1]}"; do',
    ...indent(findCommand(completions), 4),
    '  done',
    ...indent(findCandidates(completions), 2),
    '  if [[ -n $candidates ]]; then compadd -- ${=candidates}; else _files; fi',
    '}',
    '# Called when it was loaded from $fpath; otherwise it has been sourced.',
    'if [[ $funcstack[1] == _mayfly ]]; then _mayfly "$@"; else compdef _mayfly mayfly; fi',
  ],
  fish: (completions) => [
    '# mayfly for fish: mayfly completion fish | source',
    ...completions.flatMap((completion) => fishLines(completion, groupsOf(completions))),
  ],
};

/** fish keeps a list of candidates, each with the condition under which it is one. */
function fishLines({ command, words, query, options }: Completion, groups: readonly string[]): string[] {
  const [first, second] = command.split(' ');
  const seen = (word: string) => `__fish_seen_subcommand_from ${word}`;
  let condition = '__fish_use_subcommand';
  if (second !== undefined) condition = `${seen(first!)}; and ${seen(second)}`;
  else if (groups.includes(command))
    condition = `${seen(command)}; and test (count (commandline -opc)) -eq 2`;
  else if (command !== '') condition = seen(command);
  const line = (rest: string, help: string) =>
    `complete -c mayfly -n ${quote(condition)} ${rest}${help === '' ? '' : ` -d ${quote(help)}`}`;
  return [
    ...words.map(({ word, help }) => line(`-f -a ${quote(word)}`, help)),
    ...(query === undefined ? [] : [line(`-f -a ${quote(`(${query} 2> /dev/null)`)}`, '')]),
    ...options.map(({ long, short, help, takesValue, choices }) => {
      const flags = `-l ${long.slice(2)}${short === undefined ? '' : ` -s ${short.slice(1)}`}`;
      const value = choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : takesValue ? ' -r' : '';
      return line(flags + value, help);
    }),
  ];
}

function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => ' '.repeat(by) + line);
}
