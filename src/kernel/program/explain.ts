import type { Instruction, Operand, Program } from './instruction.ts';

/**
 * A program as text, one line per instruction, for tests and for people.
 *
 * `$3` is the result of instruction 3; flags print by name; `?ENOENT` marks a tolerated error.
 */
export function explain(program: Program): string {
  return program.sections
    .map((section) => [`${section.name}:`, ...section.instructions.map(explainInstruction)].join('\n'))
    .join('\n');
}

/** One line of {@link explain}. */
export function explainInstruction(instruction: Instruction): string {
  const { index, operation, operands, tolerate, what, section } = instruction;
  const args = [...(section === undefined ? [] : [section]), ...operands.map(explainOperand)].join(', ');
  const purpose = what === operation ? '' : `  # ${what}`;
  return `  ${String(index).padStart(3)} ${operation}(${args})${tolerate.map((name) => ` ?${name}`).join('')}${purpose}`;
}

function explainOperand(operand: Operand): string {
  switch (operand.kind) {
    case 'immediate':
      return operand.text ?? String(operand.value);
    case 'result':
      return `$${operand.of}`;
    case 'string':
      return JSON.stringify(operand.value);
    case 'strings':
      return `[${operand.values.map((value) => JSON.stringify(value)).join(', ')}]`;
    case 'bytes':
      return operand.text ?? `<${operand.slot ?? 'bytes'} ${operand.value.length}>`;
    case 'struct':
      return operand.text ?? `{${operand.cells.map(explainOperand).join(', ')}}`;
  }
}
