import { UsageError } from '../usage-error.ts';
import { at, display, FUNCTIONS, isTrue } from './functions.ts';
import { type Node, type Operand, type Pipeline, parseTemplate } from './parse.ts';

/** What the words of an action stand for, where it is. */
interface Scope {
  /** `.` */
  readonly dot: unknown;
  /** By name; the whole, `$`, has the empty one. A block has variables of its own, and sees those around it. */
  readonly variables: ReadonlyMap<string, unknown>;
}

/**
 * Makes a function of a template: from a value to text. A field that the value does not have is `<no value>`; one that is a function is
 * called with what follows it: `{{.Label "name"}}`.
 *
 * @throws UsageError
 */
export function compileTemplate(template: string): (value: unknown) => string {
  const nodes = parseTemplate(withControls(template));
  return (value) => renderNodes(nodes, { dot: value, variables: new Map([['', value]]) });
}

/** In a shell's single quotes people write a tab as \t, and docker takes it for one. */
function withControls(template: string): string {
  return template.replace(/\\t/g, '\t').replace(/\\n/g, '\n');
}

function renderNodes(nodes: readonly Node[], scope: Scope): string {
  let { variables } = scope;
  let text = '';
  for (const node of nodes) {
    const here = { dot: scope.dot, variables };
    if (node.kind === 'set')
      variables = withVariables(here, [[node.variable, evaluate(node.pipeline, here)]]);
    else text += renderNode(node, here);
  }
  return text;
}

function renderNode(node: Exclude<Node, { kind: 'set' }>, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const result = evaluate(node.pipeline, scope);
  if (node.kind === 'value') return display(result);
  if (!isTrue(result)) return renderNodes(node.otherwise, scope);
  const [first, second] = node.variables;
  if (node.kind === 'range') {
    return entriesOf(result)
      .map(([key, item]) => {
        const named: [string | undefined, unknown][] =
          second === undefined ? [[first, item]] : [[first, key], [second, item]]; // biome-ignore format: pairs
        return renderNodes(node.body, { dot: item, variables: withVariables(scope, named) });
      })
      .join('');
  }
  const variables = withVariables(scope, [[first, result]]);
  return renderNodes(node.body, { dot: node.kind === 'with' ? result : scope.dot, variables });
}

/** Maps are gone through in the order of their keys, as in Go. */
function entriesOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return value.map((item, i) => [i, item]);
  return Object.entries(value as object).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function withVariables(
  { variables }: Scope,
  named: readonly (readonly [string | undefined, unknown])[],
): ReadonlyMap<string, unknown> {
  const known = new Map(variables);
  for (const [name, value] of named) if (name !== undefined) known.set(name, value);
  return known;
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let piped: unknown[] = [];
  for (const [first, ...rest] of pipeline) {
    const args = [...rest.map((operand) => operandValue(operand, scope)), ...piped];
    if (first!.kind === 'function') {
      const call = Object.hasOwn(FUNCTIONS, first!.name) ? FUNCTIONS[first!.name] : undefined;
      if (call === undefined)
        throw new UsageError(
          `function "${first!.name}" not defined`,
          `there are: ${Object.keys(FUNCTIONS).join(', ')}`,
        );
      piped = [call(...(args as never[]))];
    } else {
      const value = operandValue(first!, scope);
      piped = [typeof value === 'function' ? value(...args) : value];
    }
  }
  return piped[0];
}

function operandValue(operand: Operand, scope: Scope): unknown {
  if (operand.kind === 'literal') return operand.value;
  if (operand.kind === 'field') return operand.path.reduce<unknown>(at, startOf(operand.of, scope));
  if (operand.kind === 'pipeline') return operand.path.reduce<unknown>(at, evaluate(operand.pipeline, scope));
  return evaluate([[operand]], scope);
}

function startOf(variable: string | undefined, { dot, variables }: Scope): unknown {
  if (variable === undefined) return dot;
  if (variables.has(variable)) return variables.get(variable);
  throw new UsageError(`undefined variable "$${variable}"`, 'declare it: {{$name := .Field}}');
}
