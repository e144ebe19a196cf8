import { MayflyError } from '../../support/error.ts';
import { DockerfileError, type Place } from './dockerfile-error.ts';
import { SyntaxFault } from './expand.ts';
import { directiveOf, type LogicalLine, LogicalLines } from './logical-lines.ts';
import { withoutCredentials } from './step-text.ts';
import { splitWords } from './words.ts';

/** What instructions there are, and the flags that each may have. `link` says how layers are shared, not what they hold. */
const FLAGS = {
  ADD: ['chown', 'chmod', 'link', 'checksum', 'exclude'],
  ARG: [],
  CMD: [],
  COPY: ['from', 'chown', 'chmod', 'link', 'parents', 'exclude'],
  ENTRYPOINT: [],
  ENV: [],
  EXPOSE: [],
  FROM: ['platform'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
  LABEL: [],
  MAINTAINER: [],
  ONBUILD: [],
  RUN: ['mount', 'network', 'security'],
  SHELL: [],
  STOPSIGNAL: [],
  USER: [],
  VOLUME: [],
  WORKDIR: [],
} as const satisfies Record<string, readonly string[]>;

export type Keyword = keyof typeof FLAGS;

const KEYWORDS = Object.keys(FLAGS);

export function isKeyword(word: string): word is Keyword {
  return Object.hasOwn(FLAGS, word);
}

/** A here-document: `<<NAME`, lines, `NAME`. */
export interface Heredoc {
  readonly name: string;
  readonly content: string;
  /** False when the name was quoted: then variables in it stay as they are. */
  readonly expand: boolean;
}

/** One instruction as it is written: nothing is expanded yet. */
export interface Instruction {
  readonly keyword: Keyword;
  /** `--name=value`, in order; a flag without a value has an empty one. */
  readonly flags: readonly { readonly name: string; readonly value: string }[];
  /** What follows the flags, continuation lines joined, without the bodies of here-documents. */
  readonly args: string;
  readonly heredocs: readonly Heredoc[];
  readonly place: Place;
}

export interface Dockerfile {
  readonly instructions: readonly Instruction[];
  /** `\` unless the directive `escape` says a backtick. */
  readonly escape: string;
}

/** Larger than that nobody writes by hand. */
const MOST_BYTES = 16 << 20;

/**
 * Reads a Dockerfile (https://docs.docker.com/reference/dockerfile/).
 *
 * @throws DockerfileError `build.syntax`, `build.unknown-instruction`; MayflyError `build.syntax` when it is empty or too long
 */
export function parseDockerfile(text: string, file = 'Dockerfile'): Dockerfile {
  if (text.length > MOST_BYTES) throw empty(file, 'is longer than 16 MiB');
  // Bodies of here-documents need no line feed of another system.
  const lines = text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
  const mark = directiveOf(lines, 'escape') ?? '\\';
  if (mark !== '\\' && mark !== '`') throw empty(file, `has an escape character that is none: ${mark}`);
  const reader = new LogicalLines(lines, mark);
  const instructions: Instruction[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next())
    instructions.push(read(line, { file, mark, reader }));
  if (instructions.length === 0) throw empty(file, 'holds no instruction');
  return { instructions, escape: mark };
}

interface Source {
  readonly file: string;
  /** The escape character. */
  readonly mark: string;
  readonly reader: LogicalLines;
}

function read({ text, line, first }: LogicalLine, { file, mark, reader }: Source): Instruction {
  const place = { file, line, text: withoutCredentials(first) };
  const [, word, rest] = /^(\S+)\s*(.*)$/s.exec(text)!;
  const keyword = word!.toUpperCase();
  if (!isKeyword(keyword)) {
    throw new DockerfileError('build.unknown-instruction', `unknown instruction ${keyword}`, {
      place,
      hint: `there are: ${KEYWORDS.join(', ')}`,
    });
  }
  const { flags, args } = takeFlags(rest!, mark);
  for (const { name } of flags) {
    if ((FLAGS[keyword] as readonly string[]).includes(name)) continue;
    const possible = FLAGS[keyword].map((flag) => `--${flag}`).join(', ');
    throw new DockerfileError('build.syntax', `${keyword} has no flag --${name}`, {
      place,
      hint: possible === '' ? 'it has none' : `there are: ${possible}`,
    });
  }
  if (args === '' && keyword !== 'CMD' && keyword !== 'ENTRYPOINT')
    throw new DockerfileError('build.syntax', `${keyword} needs arguments`, { place });
  const heredocs = heredocsIn(keyword, { args, mark }).map((heredoc) => readBody(heredoc, { reader, place }));
  return { keyword, flags, args, heredocs, place };
}

/** Words with two dashes at the beginning; what follows them is as it was. */
function takeFlags(text: string, mark: string): Pick<Instruction, 'flags' | 'args'> {
  const flag = new RegExp(`^--(?:\\${mark}.|"[^"]*"|'[^']*'|[^\\s"'])+`);
  const flags: Instruction['flags'][number][] = [];
  let rest = text;
  for (let word = flag.exec(rest)?.[0]; word !== undefined; word = flag.exec(rest)?.[0]) {
    const [, name, value = ''] = /^--([^=]*)(?:=(.*))?$/s.exec(word)!;
    flags.push({ name: name!, value });
    rest = rest.slice(word.length).trimStart();
  }
  return { flags, args: rest };
}

type OpenHeredoc = Pick<Heredoc, 'name' | 'expand'> & { readonly tabs: boolean };

const HEREDOC = /^\d*<<(-?)([^<\s]+)$/;

/** What a line says is to come; ONBUILD has the here-documents of what it is about. */
function heredocsIn(keyword: Keyword, { args, mark }: { args: string; mark: string }): OpenHeredoc[] {
  const about = keyword === 'ONBUILD' ? args.toUpperCase() : keyword;
  if (!/^(RUN|COPY|ADD)\b/.test(about) || !args.includes('<<')) return [];
  return wordsOf(args, mark).flatMap((word) => {
    const match = HEREDOC.exec(word);
    if (match === null) return [];
    const name = match[2]!.replace(/["']/g, '');
    return name === '' ? [] : [{ name, expand: name === match[2], tabs: match[1] === '' }];
  });
}

/** A shell may end quotes where we see no end, as in a comment of its own. Then there is no here-document for us. */
function wordsOf(args: string, mark: string): string[] {
  try {
    return splitWords(args, mark);
  } catch (error) {
    if (error instanceof SyntaxFault) return [];
    throw error;
  }
}

function readBody(
  { name, expand, tabs }: OpenHeredoc,
  { reader, place }: { reader: LogicalLines; place: Place },
): Heredoc {
  const chomp = (line: string) => (tabs ? line : line.replace(/^\t+/, ''));
  const body = reader.until((line) => chomp(line) === name);
  if (body === undefined) {
    throw new DockerfileError('build.syntax', `the here-document ${name} has no end`, {
      place,
      hint: `write ${name} alone on a line after it`,
    });
  }
  return { name, content: body.map((line) => `${chomp(line)}\n`).join(''), expand };
}

function empty(file: string, what: string): MayflyError {
  return new MayflyError('build.syntax', `${file} ${what}`, { hint: 'a Dockerfile begins with FROM' });
}
