import { errnoNumber } from '../../kernel/ffi/system-error.ts';
import type { Operand } from '../../kernel/program/instruction.ts';
import { MayflyError } from '../../support/error.ts';
import type { ProgramError } from './program-error.ts';

/**
 * The command could not be executed. Codes: `container.command-not-found` (exit code 127) and
 * `container.command-not-executable` (126), the numbers that shells and Docker use.
 */
export class CommandError extends MayflyError {
  readonly exitCode: 126 | 127;
  readonly command: string;

  constructor(command: string, exitCode: 126 | 127, cause: ProgramError) {
    const found = exitCode === 126;
    super(
      found ? 'container.command-not-executable' : 'container.command-not-found',
      found ? `cannot execute ${command}: ${cause.errno}` : `command not found: ${command}`,
      {
        cause,
        hint: found
          ? 'check its mode, its format and the interpreter in its first line'
          : 'check the spelling, the image, and PATH in the environment',
      },
    );
    this.command = command;
    this.exitCode = exitCode;
  }
}

/** Says in a user's words what a failed execve means; any other failure stays as it is. */
export function commandError(failure: ProgramError): MayflyError {
  const { operands, operation } = failure.instruction;
  if (operation !== 'execve') return failure;
  const argv = operands[1] as Operand & { kind: 'strings' };
  return new CommandError(argv.values[0]!, foundSomewhere(failure) ? 126 : 127, failure);
}

/** As execvp(3) has it: a file that was there but could not be run outweighs all the places where there was none. */
function foundSomewhere({ errno, results }: ProgramError): boolean {
  const denied = -errnoNumber('EACCES');
  return !['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errno) || results.includes(denied);
}
