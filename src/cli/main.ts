import { debugLog } from '../support/debug.ts';
import type { CommandTable, Invocation } from './command.ts';
import { helpOn } from './help.ts';
import { openOutput, type TextStream } from './output.ts';
import { parseCommandLine } from './parse.ts';
import { UsageError } from './usage-error.ts';

const debug = debugLog('cli');

/** What the process gives to the command line. */
export interface Surroundings {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs one command line, the words after `mayfly`. Never rejects: a failure is printed, once, with its hint.
 *
 * Exit codes: the command's own; 125 for a command line that means nothing; of a failure the code that it carries, such
 * as 127 for a command that a container does not have, else what the table says.
 */
export async function main(
  words: readonly string[],
  { commands, stdout, stderr, env }: Surroundings & { commands: CommandTable },
): Promise<number> {
  const output = openOutput({ stdout, stderr }, env);
  let failure = 1;
  try {
    const request = parseCommandLine(words, commands);
    if (request.kind === 'help') {
      for (const line of helpOn(request.name, commands)) output.print(line);
      return 0;
    }
    const { name, options, args } =
      request.kind === 'run' ? request : { name: 'version', options: {}, args: {} };
    const command = commands[name]!;
    failure = command.failure;
    const { run } = await command.load();
    return await run({ options, args, output, env, commands } as Invocation<never, never>);
  } catch (error) {
    debug('%o', error);
    output.warn(`mayfly: ${error instanceof Error ? error.message : String(error)}`);
    return exitCodeOf(error) ?? failure;
  }
}

function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof UsageError) return 125;
  const code = (error as { exitCode?: unknown } | undefined)?.exitCode;
  return code === 126 || code === 127 ? code : undefined;
}
