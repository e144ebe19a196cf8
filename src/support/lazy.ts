/**
 * What `make` returns, made when it is first asked for. For schemas: making one takes zod 30 µs in a process that has just begun, and
 * few of the 300 that there are have a use in a process of the command line.
 */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
