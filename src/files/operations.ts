import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, rmSync, writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { call } from '../kernel/ffi/libc.ts';
import { copyIn } from './copy-in.ts';
import { copyOut } from './copy-out.ts';
import { copyRoot } from './copy-root.ts';
import type { FileOpener } from './pack/file-opener.ts';
import { packTree } from './pack/pack-tree.ts';
import { find } from './pack/walk.ts';
import { removeStubs } from './remove-stubs.ts';
import type { FileReport, FileRequest, OpaqueAttribute, UnpackLayer } from './request.ts';
import { TarReader } from './tar/reader.ts';
import { decompress } from './unpack/decompress.ts';
import { EntryWriter } from './unpack/entry-writer.ts';
import { readGrowing } from './unpack/growing-input.ts';
import type { Placement } from './unpack/placement.ts';

const AT_FDCWD = -100;
const INPUT_FD = 0;
const OUTPUT_FD = 1;
const FILE_FD = 4;
const CHUNK = 256 << 10;
/** Bytes between two words about progress. */
const STRIDE = 4 << 20;

export interface OperationContext {
  readonly opener: FileOpener;
  /** Called now and then with the bytes of plain tar so far. */
  readonly onProgress: (bytes: number) => void;
}

/** Does what a request asks for, in the root that the process has entered. @throws FileError and Node's errors */
export async function perform(request: FileRequest, context: OperationContext): Promise<FileReport> {
  switch (request.operation) {
    case 'unpack-layer':
      return unpackLayer(request, context);
    case 'digest-layer':
      return digestLayer(request, context);
    case 'copy-layer':
      return copyLayer(request, context);
    case 'pack-layer':
      return written(packUpper(request.opaque, context));
    case 'copy-in':
      return copyIn(request, input());
    case 'copy-out':
      return written(copyOut(request, context.opener));
    case 'remove':
      rmSync(request.path, { recursive: true, force: true });
      return { size: 0 };
    case 'move': {
      const { from, to } = request;
      call('rename', [AT_FDCWD, `/${from}`, FILE_FD, to], `rename ${from} to ${to}`);
      return { size: 0 };
    }
    case 'inherit-root':
      call('fchdir', [FILE_FD], 'enter the new directory');
      copyRoot('/', '.');
      return { size: 0 };
  }
}

/** The worker's main module has made descriptors of pipes wait, whatever loaders have done to them. */
function input(): AsyncIterable<Buffer> {
  return createReadStream('', { fd: INPUT_FD, autoClose: false, highWaterMark: CHUNK });
}

async function unpackLayer(request: UnpackLayer, context: OperationContext): Promise<FileReport> {
  const { opaque, from, repack = false, place, durable } = request;
  const tar = decompress(from === 'file' ? readGrowing(FILE_FD, input()) : input());
  const unpacked = await writeLayer(tar, { opaque, followLinks: true, place, context });
  const repacked = repack ? digestUpper(opaque, { ...context, onProgress: () => {} }).digest : undefined;
  if (durable) sync('/');
  return { ...unpacked, ...(repacked === undefined ? {} : { repacked }) };
}

/**
 * Paths that begin with `/` are those of the root, and all others lie where the copy does, outside of it. There, links can lead
 * anywhere; but nobody else writes there, and no entry lies behind a link, since the tree that is copied has no path twice.
 */
async function copyLayer(
  { opaque, durable }: Extract<FileRequest, { operation: 'copy-layer' }>,
  context: OperationContext,
): Promise<FileReport> {
  call('fchdir', [FILE_FD], 'enter the directory of the copy');
  const tar = Readable.from(packUpper(opaque, context)) as AsyncIterable<Buffer>;
  const copied = await writeLayer(tar, { opaque, followLinks: false, context });
  if (durable) sync('.');
  return copied;
}

/** Makes the working directory what a tar unpacks to. */
async function writeLayer(
  tar: AsyncIterable<Buffer>,
  {
    opaque,
    followLinks,
    place,
    context,
  }: {
    opaque: OpaqueAttribute;
    followLinks: boolean;
    place?: Placement | undefined;
    context: OperationContext;
  },
): Promise<FileReport> {
  const hash = createHash('sha256');
  const reader = new TarReader(
    tapped(tar, (chunk, bytes) => {
      hash.update(chunk);
      if (bytes % STRIDE < chunk.length) context.onProgress(bytes);
    }),
  );
  const writer = new EntryWriter({
    opaque,
    followLinks,
    privileges: true,
    ...(place === undefined ? {} : { place }),
    // A container has its own /dev; what is elsewhere it does without, as in every other runtime for ordinary users.
    deviceNodes: opaque === 'trusted.overlay.opaque',
  });
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next())
    await writer.write(entry, reader.content());
  const implied = writer.finish();
  return {
    size: writer.size,
    digest: `sha256:${hash.digest('hex')}`,
    ...(implied.length === 0 ? {} : { implied }),
  };
}

/** All files at once, which costs less than one by one, and here, where nobody else has to wait. */
function sync(directory: string): void {
  const fd = openSync(directory, 'r');
  call('syncfs', [fd], 'write to the disk');
  closeSync(fd);
}

async function* tapped(
  source: AsyncIterable<Buffer>,
  tap: (chunk: Buffer, bytes: number) => void,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    tap(chunk, bytes);
    yield chunk;
  }
}

function packUpper(
  opaque: OpaqueAttribute,
  { opener }: OperationContext,
  onFile?: (size: number) => void,
): Iterable<Buffer> {
  return packTree(find('/')!, { name: '', opener, opaque, ...(onFile ? { onFile } : {}) });
}

function digestLayer(
  { opaque, stubs = [], durable }: Extract<FileRequest, { operation: 'digest-layer' }>,
  context: OperationContext,
): FileReport {
  removeStubs(stubs, opaque);
  const report = digestUpper(opaque, context);
  if (durable) sync('/');
  return report;
}

function digestUpper(opaque: OpaqueAttribute, context: OperationContext): FileReport {
  const hash = createHash('sha256');
  let size = 0;
  let bytes = 0;
  const tar = packUpper(opaque, context, (length) => {
    size += length;
  });
  for (const chunk of tar) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes % STRIDE < chunk.length) context.onProgress(bytes);
  }
  return { size, digest: `sha256:${hash.digest('hex')}` };
}

function written(tar: Iterable<Buffer>): FileReport {
  let size = 0;
  for (const chunk of tar) {
    for (let at = 0; at < chunk.length; ) at += writeSync(OUTPUT_FD, chunk, at);
    size += chunk.length;
  }
  return { size };
}
