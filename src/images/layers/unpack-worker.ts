/**
 * Unpacks the tar on stdin into the directory given, which becomes its root before the first byte is read: no path in
 * the archive can lead out of it, whatever links it makes. Prints one line of JSON.
 */
import { chdir } from 'node:process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import tar from 'tar-stream';
import { call } from '../../kernel/ffi/libc.ts';
import { isMayflyError } from '../../support/error.ts';
import { EntryWriter } from './entry-writer.ts';
import type { UnpackFailure, UnpackReport } from './unpack.ts';

const [directory] = process.argv.slice(2);
const writer = new EntryWriter();
const extract = tar.extract();
let failure: unknown;

// Bound before chroot, after which no library could be found.
writer.prepare();
call('chroot', [directory!], `enter ${directory}`);
chdir('/');
process.umask(0);

extract.on('entry', (header, stream, next) => {
  // A streamx stream, which is a Node stream in all but its type.
  writer.write(header, stream as unknown as Readable).then(
    () => next(),
    (error: unknown) => {
      failure ??= error;
      next(error as Error);
    },
  );
});

try {
  await pipeline(process.stdin, extract);
  writer.finish();
  print({ size: writer.size });
} catch (error) {
  const cause = failure ?? error;
  const code = isMayflyError(cause, 'layer.refused')
    ? 'refused'
    : ((cause as NodeJS.ErrnoException).code ?? 'refused');
  print({ error: { code, message: cause instanceof Error ? cause.message.split('\n')[0]! : String(cause) } });
  process.exitCode = 1;
}

function print(report: UnpackReport | UnpackFailure): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
