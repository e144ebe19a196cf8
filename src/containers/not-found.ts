import { MayflyError } from '../support/error.ts';

/** The error for a container that nobody knows. */
export function notFound(what: string): MayflyError {
  return new MayflyError('container.not-found', `no container ${JSON.stringify(what)}`, {
    hint: 'listContainers({ all: true }) tells all there are',
  });
}
