/**
 * One entry of a tar. Names are bytes, one a character (latin1), because nothing says that they are UTF-8;
 * {@link nameBytes} gives them to the kernel and {@link shown} to people.
 */
export interface TarEntry {
  readonly type: EntryType;
  readonly name: string;
  /** Target of a link or symlink, else empty. Bytes, too. */
  readonly linkname: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file, holes included; 0 for everything else. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly devmajor: number;
  readonly devminor: number;
  /** Extended attributes by name, values as they are. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Where the data of a sparse file lies; undefined when it has no holes. */
  readonly data: readonly Extent[] | undefined;
}

export type EntryType =
  | 'file'
  | 'link'
  | 'symlink'
  | 'character-device'
  | 'block-device'
  | 'directory'
  | 'fifo';

/** A stretch of a file that is no hole. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** A name as the kernel takes it. */
export function nameBytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

/** A name in quotes, for a message; shortened when it is absurd. */
export function shown(name: string): string {
  const text = nameBytes(name).toString('utf8');
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 60)}…` : text);
}
