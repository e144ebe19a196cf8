import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
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

/** True for a tar, compressed or not, which is what ADD unpacks; by its content, whatever its name. */
export async function isArchive(path: string): Promise<boolean> {
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of openArchive(path)) {
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
export async function* openArchive(path: string): AsyncGenerator<Buffer> {
  const program = await programFor(path);
  if (program !== undefined) return yield* piped(path, program);
  const stream = createReadStream(path);
  try {
    yield* decompress(stream);
  } finally {
    stream.destroy();
  }
}

async function programFor(path: string): Promise<string | undefined> {
  await using file = await open(path);
  const head = Buffer.alloc(6);
  await file.read(head, 0, head.length, 0);
  return PROGRAMS.find(({ magic }) => head.subarray(0, magic.length).equals(magic))?.program;
}

async function* piped(path: string, program: string): AsyncGenerator<Buffer> {
  await using file = await open(path);
  const rights = process.geteuid!() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn(program, ['-dc'], { ...rights, stdio: [file.fd, 'pipe', 'ignore'], cwd: '/' });
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
