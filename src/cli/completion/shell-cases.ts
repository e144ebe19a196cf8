import { type Candidate, type Completion, groupsOf } from './model.ts';

/**
 * The part that bash and zsh share, in the language of sh: with `word` one word of the command line, it finds `command`.
 */
export function findCommand(completions: readonly Completion[]): string[] {
  const groups = [...new Set(groupsOf(completions))];
  return [
    'case $word in -*) continue ;; esac',
    'case $command in',
    "'') command=$word ;;",
    ...(groups.length === 0 ? [] : [`${groups.join('|')}) command="$command $word" ;;`]),
    'esac',
  ];
}

/** The other part: with `command`, `prev` and `cur` set, it sets `candidates`; empty where files are to be offered. */
export function findCandidates(completions: readonly Completion[]): string[] {
  return [
    'local candidates= options=',
    'case $command in',
    ...completions.map(({ command, words, query, options }) => {
      const flags = options.flatMap(({ long, short = [] }) => [long, ...[short].flat()]);
      return `${quote(command)}) ${offer(words, query)} options=${quote(flags.join(' '))} ;;`;
    }),
    'esac',
    'case $cur in -*) candidates=$options ;; esac',
    'case "$command $prev" in',
    ...completions.flatMap(({ command, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map(({ long, short = [], choices }) => {
          const patterns = [long, ...[short].flat()].map((flag) => quote(`${command} ${flag}`));
          return `${patterns.join('|')}) candidates=${quote(choices.join(' '))} ;;`;
        }),
    ),
    'esac',
  ];
}

function offer(words: readonly Candidate[], query: string | undefined): string {
  if (query !== undefined) return `candidates=$(${query} 2> /dev/null)`;
  return `candidates=${quote(words.map(({ word }) => word).join(' '))}`;
}

/** Single quotes, within which sh leaves everything as it is. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
