import { UsageError } from '../usage-error.ts';
import { at, display, FUNCTIONS, isTrue } from './functions.ts';
import { type Node, type Operand, type Pipeline, parseTemplate } from './parse.ts';

/**
 * Makes a function of a template: from a value to text. A field that the value does not have is `<no value>`.
 *
 * @throws UsageError
 */
export function compileTemplate(template: string): (value: unknown) => string {
  const nodes = parseTemplate(withControls(template));
  return (value) => renderNodes(nodes, value);
}

/** In a shell's single quotes people write a tab as \t, and docker takes it for one. */
function withControls(template: string): string {
  return template.replace(/\\t/g, '\t').replace(/\\n/g, '\n');
}

function renderNodes(nodes: readonly Node[], value: unknown): string {
  return nodes.map((node) => renderNode(node, value)).join('');
}

function renderNode(node: Node, value: unknown): string {
  if (node.kind === 'text') return node.text;
  const result = evaluate(node.pipeline, value);
  if (node.kind === 'value') return display(result);
  if (!isTrue(result)) return renderNodes(node.otherwise, value);
  if (node.kind === 'range')
    return Object.values(result as object)
      .map((item) => renderNodes(node.body, item))
      .join('');
  return renderNodes(node.body, node.kind === 'with' ? result : value);
}

function evaluate(pipeline: Pipeline, value: unknown): unknown {
  let piped: unknown[] = [];
  for (const [first, ...rest] of pipeline) {
    const args = [...rest.map((operand) => operandValue(operand, value)), ...piped];
    if (first!.kind === 'function') {
      const call = Object.hasOwn(FUNCTIONS, first!.name) ? FUNCTIONS[first!.name] : undefined;
      if (call === undefined)
        throw new UsageError(
          `function "${first!.name}" not defined`,
          `there are: ${Object.keys(FUNCTIONS).join(', ')}`,
        );
      piped = [call(...(args as never[]))];
    } else piped = [operandValue(first!, value)];
  }
  return piped[0];
}

function operandValue(operand: Operand, value: unknown): unknown {
  if (operand.kind === 'literal') return operand.value;
  if (operand.kind === 'field') return operand.path.reduce<unknown>(at, value);
  if (operand.kind === 'pipeline') return operand.path.reduce<unknown>(at, evaluate(operand.pipeline, value));
  return evaluate([[operand]], value);
}
