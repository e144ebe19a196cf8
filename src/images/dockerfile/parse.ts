import {
  type Heredoc as AstHeredoc,
  type Instruction as AstInstruction,
  DockerfileParser,
  type Flag,
} from 'dockerfile-ast';
import { MayflyError } from '../../support/error.ts';
import { DockerfileError, type Place } from './dockerfile-error.ts';

export const KEYWORDS = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const;

export type Keyword = (typeof KEYWORDS)[number];

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

/** Its parser of Dockerfile text is of moby's size; larger than that nobody writes by hand. */
const MOST_BYTES = 16 << 20;

/**
 * Reads a Dockerfile (https://docs.docker.com/reference/dockerfile/).
 *
 * @throws DockerfileError `build.syntax`, `build.unknown-instruction`; MayflyError `build.syntax` when it is empty or too long
 */
export function parseDockerfile(text: string, file = 'Dockerfile'): Dockerfile {
  if (text.length > MOST_BYTES) throw empty(file, 'is longer than 16 MiB');
  // Bodies of here-documents need no line feed of another system.
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const lines = source.split('\n');
  const parsed = DockerfileParser.parse(source);
  const instructions = parsed.getInstructions().map((node) => read(node, { file, lines }));
  if (instructions.length === 0) throw empty(file, 'holds no instruction');
  return { instructions, escape: parsed.getEscapeCharacter() };
}

interface Source {
  readonly file: string;
  readonly lines: readonly string[];
}

function read(node: AstInstruction, { file, lines }: Source): Instruction {
  const first = node.getRange().start.line;
  const place = { file, line: first + 1, text: lines[first]!.trim() };
  const keyword = node.getKeyword() as Keyword;
  if (!KEYWORDS.includes(keyword)) {
    throw new DockerfileError('build.unknown-instruction', `unknown instruction ${keyword}`, {
      place,
      hint: `there are: ${KEYWORDS.join(', ')}`,
    });
  }
  const whole = node as AstInstruction & { getFlags?(): Flag[]; getHeredocs?(): AstHeredoc[] };
  const heredocs = (whole.getHeredocs?.() ?? []).map((heredoc) => readHeredoc(heredoc, { lines, place }));
  const content = node.getArgumentsContent() ?? '';
  // The bodies come after the first line, which is whole: continuation lines are joined already.
  const args = heredocs.length === 0 ? content : content.slice(0, content.indexOf('\n'));
  const flags = (whole.getFlags?.() ?? []).map((flag) => ({
    name: flag.getName(),
    value: flag.getValue() ?? '',
  }));
  if (args.trim() === '' && keyword !== 'CMD' && keyword !== 'ENTRYPOINT') {
    throw new DockerfileError('build.syntax', `${keyword} needs arguments`, { place });
  }
  return { keyword, flags, args: args.trim(), heredocs, place };
}

function readHeredoc(
  heredoc: AstHeredoc,
  { lines, place }: { lines: readonly string[]; place: Place },
): Heredoc {
  const { start } = heredoc.getStartRange();
  const end = heredoc.getDelimiterRange();
  if (end === null) {
    throw new DockerfileError('build.syntax', `the here-document ${heredoc.getName()} has no end`, {
      place,
      hint: `write ${heredoc.getName()} alone on a line after it`,
    });
  }
  const [, dash, quote] = /^<<(-?)(["']?)/.exec(lines[start.line]!.slice(start.character))!;
  const content = heredoc.getContentRange();
  const body = content === null ? [] : lines.slice(content.start.line, end.start.line);
  return {
    name: heredoc.getName(),
    content: body.map((line) => `${dash ? line.replace(/^\t+/, '') : line}\n`).join(''),
    expand: quote === '',
  };
}

function empty(file: string, what: string): MayflyError {
  return new MayflyError('build.syntax', `${file} ${what}`, { hint: 'a Dockerfile begins with FROM' });
}
