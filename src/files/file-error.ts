import { MayflyError } from '../support/error.ts';

/** Why file work failed, in the words of its code: `file.no-space`. Layers and copies say the same under their own area. */
export type FileFailure =
  | 'refused'
  | 'no-such-path'
  | 'not-a-directory'
  | 'is-a-directory'
  | 'read-only'
  | 'no-space'
  | 'unsupported-compression'
  | 'failed';

/** File work that failed, in this process or in a worker. */
export class FileError extends MayflyError {
  readonly reason: FileFailure;

  constructor(reason: FileFailure, message: string, cause?: unknown) {
    super(`file.${reason}`, message, { cause });
    this.reason = reason;
  }
}

/** The error for what is not done although it could be: an archive that lies, a path that is none of ours. */
export function refuse(why: string, cause?: unknown): FileError {
  return new FileError('refused', why, cause);
}

const REASONS: Readonly<Record<string, FileFailure>> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EROFS: 'read-only',
  ENOENT: 'no-such-path',
  ENOTDIR: 'not-a-directory',
  // A file where mkdir finds no directory.
  EEXIST: 'not-a-directory',
  EISDIR: 'is-a-directory',
  // A mount point in the way, a loop of links, a name or a file that no file system holds, a missing right.
  EBUSY: 'refused',
  ELOOP: 'refused',
  ENAMETOOLONG: 'refused',
  EFBIG: 'refused',
  EPERM: 'refused',
  EACCES: 'refused',
  EMLINK: 'refused',
  EXDEV: 'refused',
  EINVAL: 'refused',
};

/** Puts a failed system call, Node's or ours, into the words above; a FileError stays what it is. */
export function fileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  const { errno, code, message } = error as { errno?: unknown; code?: unknown; message?: string };
  const name = typeof errno === 'string' ? errno : String(code);
  return new FileError(REASONS[name] ?? 'failed', message ?? String(error), error);
}
