/**
 * Options of the command line without those that say nothing, because they were not given: false, the word that is the default, a list or
 * a record of nothing. Who starts the container needs not look at them, which takes a process that has just begun 3 ms.
 */
export function said<Values extends object>(values: Values): Partial<Values> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => saysSomething(value)),
  ) as Partial<Values>;
}

function saysSomething(value: unknown): boolean {
  if (value === undefined || value === false || value === 'default') return false;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}
