import { nameBytes } from './tar/entry.ts';

/** A name as a C string, for system calls that Node does not have. */
export function pathArgument(name: string): Buffer {
  return Buffer.concat([nameBytes(name), Buffer.of(0)]);
}
