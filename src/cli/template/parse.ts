import { UsageError } from '../usage-error.ts';

/** A template as a tree: the part of Go's text/template that people write after `--format`. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly pipeline: Pipeline }
  /** `{{$name := …}}` */
  | { readonly kind: 'set'; readonly variable: string; readonly pipeline: Pipeline }
  | {
      readonly kind: 'range' | 'if' | 'with';
      /** `{{range $key, $value := …}}`; one variable stands for the value. */
      readonly variables: readonly string[];
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Commands whose result is the last argument of the next. */
export type Pipeline = readonly (readonly Operand[])[];

/** A word of a command: `.A.B`, `"text"`, `3`, a function's name, or a pipeline in parentheses and a field of it. */
export type Operand =
  /** `.A.B` of the present value, `$.A.B` of the whole (`of` is empty), `$name.A.B` of a variable. */
  | { readonly kind: 'field'; readonly of: string | undefined; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] };

const ACTION = /\{\{(-\s)?\s*((?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`}]|\}(?!\}))*?)\s*(\s-)?\}\}/g;
const WORD = /\s*("(?:\\.|[^"\\])*"|`[^`]*`|[|(]|\)(?:\.[\w.]+)?|[^\s|()"`]+)/y;

interface Open {
  readonly kind: 'root' | 'range' | 'if' | 'with';
  readonly variables: readonly string[];
  readonly pipeline: Pipeline;
  readonly body: Node[];
  otherwise: Node[] | undefined;
  /** An `else if` is closed by the `end` of the `if` that it belongs to. */
  readonly chained: boolean;
}

/** @throws UsageError for what is no template, or is beyond the part that is understood */
export function parseTemplate(template: string): Node[] {
  const root = block('root', '', template);
  const open = [root];
  const add = (node: Node) => {
    const { body, otherwise } = open.at(-1)!;
    (otherwise ?? body).push(node);
  };
  let at = 0;
  let trim = false;
  const addText = (text: string) => {
    const rest = trim ? text.trimStart() : text;
    if (rest.includes('{{')) throw broken(template, 'an action that does not end');
    if (rest !== '') add({ kind: 'text', text: rest });
  };
  const close = () => {
    const { kind, variables, pipeline, body, otherwise = [] } = open.pop()!;
    if (kind === 'root') throw broken(template, 'an end too many');
    add({ kind, variables, pipeline, body, otherwise });
  };
  for (const match of template.matchAll(ACTION)) {
    const text = template.slice(at, match.index);
    addText(match[1] === undefined ? text : text.trimEnd());
    trim = match[3] !== undefined;
    at = match.index + match[0].length;
    const [keyword, rest] = split(match[2]!);
    if (keyword === 'range' || keyword === 'if' || keyword === 'with') {
      open.push(block(keyword, rest, template));
    } else if (keyword === 'else') {
      const last = open.at(-1)!;
      if (last.kind === 'root' || last.otherwise !== undefined) throw broken(template, 'an else too many');
      last.otherwise = [];
      const [second, condition] = split(rest);
      if (second === 'if') open.push({ ...block('if', condition, template), chained: true });
    } else if (keyword === 'end') {
      while (open.at(-1)!.chained) close();
      close();
    } else if (!keyword.startsWith('/*')) {
      const { variables, pipeline } = parseDeclaration(match[2]!, template);
      const [variable] = variables;
      add(variable === undefined ? { kind: 'value', pipeline } : { kind: 'set', variable, pipeline });
    }
  }
  addText(template.slice(at));
  if (open.length > 1) throw broken(template, `a ${open.at(-1)!.kind} without its end`);
  return root.body;
}

function block(kind: Open['kind'], action: string, template: string): Open {
  const { variables, pipeline } =
    kind === 'root' ? { variables: [], pipeline: [] } : parseDeclaration(action, template);
  return { kind, variables, pipeline, body: [], otherwise: undefined, chained: false };
}

/** `$a := …`, `$a, $b := …`, `$a = …`, or a pipeline alone. */
function parseDeclaration(action: string, template: string): { variables: string[]; pipeline: Pipeline } {
  const declared = /^\$(\w+)(?:\s*,\s*\$(\w+))?\s*:?=\s*(.*)$/s.exec(action);
  if (declared === null) return { variables: [], pipeline: parsePipeline(action, template) };
  const [, first, second, rest] = declared;
  return {
    variables: [first!, ...(second === undefined ? [] : [second])],
    pipeline: parsePipeline(rest!, template),
  };
}

function split(action: string): [keyword: string, rest: string] {
  const [, keyword, rest] = /^(\S*)\s*(.*)$/s.exec(action)!;
  return [keyword!, rest!];
}

function parsePipeline(text: string, template: string): Pipeline {
  const words: string[] = [];
  let end = 0;
  WORD.lastIndex = 0;
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    words.push(match[1]!);
    end = WORD.lastIndex;
  }
  const [pipeline, rest] = readPipeline(words, template);
  if (rest.length > 0 || text.slice(end).trim() !== '')
    throw broken(template, `what is not understood: ${text.trim()}`);
  return pipeline;
}

function readPipeline(words: readonly string[], template: string): [Pipeline, readonly string[]] {
  const commands: Operand[][] = [[]];
  let rest = words;
  while (rest.length > 0 && !rest[0]!.startsWith(')')) {
    const [word, ...after] = rest as [string, ...string[]];
    rest = after;
    if (word === '|') commands.push([]);
    else if (word === '(') {
      const [pipeline, behind] = readPipeline(rest, template);
      if (behind.length === 0) throw broken(template, 'a parenthesis that does not end');
      const path = behind[0]!.split('.').slice(1);
      rest = behind.slice(1);
      commands.at(-1)!.push({ kind: 'pipeline', pipeline, path });
    } else commands.at(-1)!.push(readOperand(word, template));
  }
  if (commands.some((command) => command.length === 0)) throw broken(template, 'an empty action');
  return [commands, rest];
}

function readOperand(word: string, template: string): Operand {
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  if (/^-?\d+$/.test(word)) return { kind: 'literal', value: Number(word) };
  if (word.startsWith('`')) return { kind: 'literal', value: word.slice(1, -1) };
  if (word.startsWith('"')) return { kind: 'literal', value: unquote(word) };
  const [, whole, variable, fields = ''] = /^(\$(\w*))?((?:\.[\w.]*)?)$/.exec(word) ?? [];
  if (whole !== undefined || fields !== '')
    return { kind: 'field', of: variable, path: fields.split('.').filter(Boolean) };
  if (/^[a-z]\w*$/i.test(word)) return { kind: 'function', name: word };
  throw broken(template, `what is not understood: ${word}`);
}

/** Go's escapes are those of JSON, as far as people write them; control characters are there already. */
function unquote(word: string): string {
  return JSON.parse(word.replaceAll('\t', '\\t').replaceAll('\n', '\\n')) as string;
}

function broken(template: string, what: string): UsageError {
  return new UsageError(
    `the template ${JSON.stringify(template)} has ${what}`,
    'write fields as {{.Name}}; see mayfly ps --help',
  );
}
