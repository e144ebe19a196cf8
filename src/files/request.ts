import type { FileFailure } from './file-error.ts';
import type { Placement } from './unpack/placement.ts';

/** Attributes by which overlay marks opaque directories: `user.` where the mount has `userxattr`, as in a user namespace. */
export type OpaqueAttribute = 'trusted.overlay.opaque' | 'user.overlay.opaque';

/** What was made in an overlay for the sake of one mount. */
export interface MountStub {
  /** The mount point and the directories above it that there were not either, deepest first. */
  readonly made: readonly string[];
  /** Directories of lower layers above those, deepest first, as they were before overlay copied them up. */
  readonly copied: readonly {
    readonly path: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  }[];
}

/** Every piece of file work that takes another root or other rights. Paths are inside the worker's root. */
export type FileRequest =
  | UnpackLayer
  /**
   * Digests the layer's tar that the root, an overlay's upper, would make, when these stubs are gone from it; default: none.
   * `durable`: has it all reach the disk.
   */
  | {
      readonly operation: 'digest-layer';
      readonly opaque: OpaqueAttribute;
      readonly stubs?: readonly MountStub[];
      readonly durable: boolean;
    }
  /** Makes the directory on fd 4 what that tar of the root unpacks to, and digests the tar. `durable`: has it all reach the disk. */
  | { readonly operation: 'copy-layer'; readonly opaque: OpaqueAttribute; readonly durable: boolean }
  /** stdout: that tar. */
  | { readonly operation: 'pack-layer'; readonly opaque: OpaqueAttribute }
  | CopyIn
  | CopyOut
  /** Removes a path and everything below it; that there is none is no error. */
  | { readonly operation: 'remove'; readonly path: string }
  /** Renames what is in the root under a name to another one in the directory on fd 4. */
  | { readonly operation: 'move'; readonly from: string; readonly to: string }
  /** Gives the directory on fd 4 the root's mode, owner and attributes. */
  | { readonly operation: 'inherit-root' };

/** A layer's tar, compressed or not, which fills the root. */
export interface UnpackLayer {
  readonly operation: 'unpack-layer';
  readonly opaque: OpaqueAttribute;
  /** On stdin, or in a file on fd 4, of which stdin then has the lengths (growing-file.ts). */
  readonly from: 'stdin' | 'file';
  /** Digests the tar that the root makes, too. Default: false. */
  readonly repack?: boolean;
  /** Default: everything goes where its name says. */
  readonly place?: Placement | undefined;
  /** Has it all reach the disk. */
  readonly durable: boolean;
}

/** stdin: a tar, compressed or not. */
export interface CopyIn {
  readonly operation: 'copy-in';
  readonly path: string;
  /**
   * `top`: the tar has one top, named `.`, which becomes `path`, or goes into `path` under `name` when that is a directory.
   * `contents`: what the tar holds goes into the directory `path`.
   */
  readonly shape: 'top' | 'contents';
  /** Last part of the source's path; undefined for content that has no name. */
  readonly name?: string | undefined;
  /** False when the root is a directory of the host: then nothing follows links, and no devices or special modes are made. */
  readonly trusted: boolean;
  /** -1: whoever the worker is. Default: as the tar has it. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode?: number | undefined;
  /**
   * `COPY`: as BuildKit has it, `mode` is for directories as well, and those made on the way belong to `owner`; the last one is like
   * the top of the tar. Default: `cp`: `mode` is for files, and directories made on the way are root's.
   */
  readonly manner?: 'cp' | 'COPY';
}

/** stdout: a tar of a path. */
export interface CopyOut {
  readonly operation: 'copy-out';
  readonly path: string;
  /** Name of the top in the tar. */
  readonly name: string;
  /** True to go where a link at the end of the path leads, and to take nothing but a regular file. */
  readonly onlyFile?: boolean;
  /** True to go where a link at the end of the path leads. */
  readonly followLink?: boolean;
  /** True to leave out holes. */
  readonly sparse?: boolean;
}

/** What the worker says when it is done. */
export interface FileReport {
  /** Bytes of file content that was unpacked or digested; bytes of tar that was written. */
  readonly size: number;
  /** `sha256:` and 64 digits, of the plain tar of a layer. */
  readonly digest?: string;
  /** The same of the tar that packing the unpacked layer gives. */
  readonly repacked?: string;
  /** Directories of it that have no entry of their own: `./var/run`, as bytes (latin1); `.` is the root. */
  readonly implied?: readonly string[];
}

/** The lines of JSON that a worker writes to its fd 2: any number of the first, then one of the others. */
export type WorkerMessage =
  | { readonly progress: number }
  | { readonly done: FileReport }
  | { readonly failed: { readonly reason: FileFailure; readonly message: string } };
