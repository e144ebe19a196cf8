import type { Container } from '../containers/container.ts';
import { getContainer } from '../containers/find.ts';
import type { Output } from './output.ts';

/** Does something to each thing that a command line names. One that fails does not keep the others from it. */
export async function each(
  names: readonly string[],
  task: (name: string) => Promise<void>,
  output: Output,
): Promise<number> {
  let exitCode = 0;
  for (const name of names) {
    try {
      await task(name);
    } catch (error) {
      output.warn(`mayfly: ${error instanceof Error ? error.message : String(error)}`);
      exitCode = 1;
    }
  }
  return exitCode;
}

/** The same to containers; the name of each is printed when it is done, as docker does. */
export function eachContainer(
  names: readonly string[],
  task: (container: Container) => Promise<unknown>,
  output: Output,
): Promise<number> {
  return each(
    names,
    async (name) => {
      await using container = await getContainer(name);
      await task(container);
      output.print(name);
    },
    output,
  );
}
