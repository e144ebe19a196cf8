import { spawn } from 'node:child_process';
import { closeSync, createReadStream, readSync } from 'node:fs';
import { FileError } from '../files/file-error.ts';
import { decompress } from '../files/unpack/decompress.ts';
import { isErrno } from '../kernel/ffi/system-error.ts';

/** Where ustar and GNU tar have their magic (pax(1), "ustar Interchange Format"). */
const MAGIC_OFFSET = 257;

/** What Node cannot read and a program of the host can, by how it begins. */
const PROGRAMS: readonly { readonly program: string; readonly magic: Buffer }[] = [
  { program: 'xz', magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) },
  { program: 'bzip2', magic: Buffer.from('BZh') },
];
/** Nobody's, as in every distribution: what reads hostile input has no rights. */
const NOBODY = 65534;

/** Opens a file for reading, which node:fs closes. */
export type OpenFile = () => number;

/** True for a tar, compressed or not, which is what ADD unpacks; by its content, whatever its name. */
export async function isArchive(file: OpenFile): Promise<boolean> {
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of openArchive(file)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= MAGIC_OFFSET + 5) break;
    }
  } catch (error) {
    // Something else that begins like a compressed file.
    if (error instanceof FileError && error.reason !== 'unsupported-compression') return false;
    throw error;
  }
  return head.toString('latin1', MAGIC_OFFSET, MAGIC_OFFSET + 5) === 'ustar';
}

/** The plain bytes of a file. @throws FileError `file.unsupported-compression`, `file.refused` */
export async function* openArchive(file: OpenFile): AsyncGenerator<Buffer> {
  const fd = file();
  const head = Buffer.alloc(6);
  readSync(fd, head, 0, head.length, 0);
  const program = PROGRAMS.find(({ magic }) => head.subarray(0, magic.length).equals(magic))?.program;
  if (program !== undefined) return yield* piped(fd, program);
  const stream = createReadStream('', { fd, start: 0 });
  try {
    yield* decompress(stream);
  } finally {
    stream.destroy();
  }
}

async function* piped(fd: number, program: string): AsyncGenerator<Buffer> {
  const rights = process.geteuid!() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn(program, ['-dc'], { ...rights, stdio: [fd, 'pipe', 'ignore'], cwd: '/' });
  closeSync(fd);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  ended.catch(() => {});
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    if ((await ended) !== 0) throw new FileError('refused', `the ${program} stream is damaged or truncated`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new FileError(
      'unsupported-compression',
      `what ${program} has compressed takes the program ${program}`,
    );
  } finally {
    child.kill('SIGKILL');
    await ended.catch(() => {});
  }
}
