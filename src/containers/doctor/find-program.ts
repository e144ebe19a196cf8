import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Where administrators' tools are, which ordinary users often have not in PATH. */
const MORE = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of a program; undefined when there is none. */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | undefined {
  const places = [...path.split(':').filter(Boolean), ...MORE].map((directory) => join(directory, name));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
