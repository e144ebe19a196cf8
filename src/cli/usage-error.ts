import { MayflyError } from '../support/error.ts';

/** A command line that means nothing. Code: `cli.usage`. */
export class UsageError extends MayflyError {
  constructor(message: string, hint: string) {
    super('cli.usage', message, { hint });
  }
}
