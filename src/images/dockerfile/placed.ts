import { isMayflyError } from '../../support/error.ts';
import { DockerfileError, type Place } from './dockerfile-error.ts';
import { MissingVariable, SyntaxFault } from './expand.ts';

/**
 * Runs what interprets an instruction; its complaints come out with the instruction's place.
 *
 * @throws DockerfileError `build.syntax`, `build.missing-value`
 */
export function placed<T>(place: Place, interpret: () => T): T {
  try {
    return interpret();
  } catch (error) {
    if (error instanceof MissingVariable) {
      throw new DockerfileError('build.missing-value', error.message, {
        place,
        hint: 'give it as a build argument',
      });
    }
    if (error instanceof SyntaxFault || isMayflyError(error, 'option.invalid'))
      throw new DockerfileError('build.syntax', error.message, { place, cause: error });
    throw error;
  }
}
