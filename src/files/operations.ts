import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, rmSync, writeSync } from 'node:fs';
import { call } from '../kernel/ffi/libc.ts';
import { copyIn } from './copy-in.ts';
import { copyOut } from './copy-out.ts';
import type { FileOpener } from './pack/file-opener.ts';
import { packTree } from './pack/pack-tree.ts';
import { find } from './pack/walk.ts';
import { removeStubs } from './remove-stubs.ts';
import type { FileReport, FileRequest, OpaqueAttribute } from './request.ts';
import { TarReader } from './tar/reader.ts';
import { decompress } from './unpack/decompress.ts';
import { EntryWriter } from './unpack/entry-writer.ts';
import { readGrowing } from './unpack/growing-input.ts';

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
    case 'pack-layer':
      return written(packUpper(request.opaque, context));
    case 'copy-in':
      return copyIn(request, input());
    case 'copy-out':
      return written(copyOut(request, context.opener));
    case 'remove':
      rmSync(request.path, { recursive: true, force: true });
      return { size: 0 };
  }
}

/** The worker's main module has made descriptors of pipes wait, whatever loaders have done to them. */
function input(): AsyncIterable<Buffer> {
  return createReadStream('', { fd: INPUT_FD, autoClose: false, highWaterMark: CHUNK });
}

async function unpackLayer(
  request: Extract<FileRequest, { operation: 'unpack-layer' }>,
  context: OperationContext,
): Promise<FileReport> {
  const { opaque, from, repack = false, durable } = request;
  const { onProgress } = context;
  const hash = createHash('sha256');
  const reader = new TarReader(
    tapped(decompress(from === 'file' ? readGrowing(FILE_FD, input()) : input()), (chunk, bytes) => {
      hash.update(chunk);
      if (bytes % STRIDE < chunk.length) onProgress(bytes);
    }),
  );
  const writer = new EntryWriter({
    opaque,
    followLinks: true,
    privileges: true,
    // A container has its own /dev; what is elsewhere it does without, as in every other runtime for ordinary users.
    deviceNodes: opaque === 'trusted.overlay.opaque',
  });
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next())
    await writer.write(entry, reader.content());
  writer.finish();
  const repacked = repack ? digestUpper(opaque, { ...context, onProgress: () => {} }).digest : undefined;
  if (durable) syncRoot();
  return {
    size: writer.size,
    digest: `sha256:${hash.digest('hex')}`,
    ...(repacked === undefined ? {} : { repacked }),
  };
}

/** Once for all files, which costs less than one by one, and here, where nobody else has to wait. */
function syncRoot(): void {
  const root = openSync('/', 'r');
  call('syncfs', [root], 'write to the disk');
  closeSync(root);
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
  if (durable) syncRoot();
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
