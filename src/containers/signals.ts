import { constants } from 'node:os';
import { MayflyError } from '../support/error.ts';

/**
 * A signal's number: from `SIGTERM`, `TERM` or `15`, as image configurations and Docker's users write it.
 *
 * @throws MayflyError `option.invalid`
 */
export function signalNumber(signal: string | number): number {
  const name = String(signal).toUpperCase();
  const numbers = constants.signals as Readonly<Record<string, number>>;
  const number = numbers[name] ?? numbers[`SIG${name}`] ?? Number(name);
  if (Number.isInteger(number) && number > 0 && number <= 64) return number;
  throw new MayflyError('option.invalid', `not a signal: ${JSON.stringify(signal)}`, {
    hint: 'write a name such as SIGTERM, or a number from 1 to 64',
  });
}
