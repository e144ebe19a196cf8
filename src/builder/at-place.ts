import { FileError } from '../files/file-error.ts';
import { DockerfileError } from '../images/dockerfile/dockerfile-error.ts';
import type { Instruction } from '../images/dockerfile/parse.ts';
import { isMayflyError, type MayflyError } from '../support/error.ts';

/** Runs what an instruction asks for; what fails comes out with its place. @throws DockerfileError */
export async function atPlace<T>(
  { keyword, place }: Pick<Instruction, 'keyword' | 'place'>,
  { step, signal }: { step: () => Promise<T>; signal: AbortSignal | undefined },
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof DockerfileError || signal?.aborted) throw error;
    // Files that cannot be put where a step says are the step's failure.
    if (error instanceof FileError) {
      const what = `${keyword} failed: ${error.message}`;
      throw new DockerfileError('build.step-failed', what, { place, cause: error });
    }
    // What an instruction is not to blame for keeps its own code: an image that is not there, a registry, a user.
    if (isMayflyError(error))
      throw new DockerfileError(error.code, whatOf(error), {
        place,
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    throw error;
  }
}

/** A message has its hint at the end, which belongs behind the place. */
function whatOf({ message, hint }: MayflyError): string {
  return hint === undefined ? message : message.replace(`\n  hint: ${hint}`, '');
}
