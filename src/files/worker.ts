/**
 * The one process in which files of layers and containers are touched: `worker.ts REQUEST`, with its root on fd 3, and what it
 * reads or writes elsewhere on fd 4.
 *
 * It enters its root before it reads a byte, so no path and no link in there can lead out of it, whoever changes them
 * meanwhile. After that nothing may be loaded: modules are imported and functions of libc looked up before, because what
 * has their names in there is the image's (CVE-2019-14271).
 */
import { fstatSync, statSync, writeSync } from 'node:fs';
import { bind, call } from '../kernel/ffi/libc.ts';
import { fileError, refuse } from './file-error.ts';
import { perform } from './operations.ts';
import { createFileOpener } from './pack/file-opener.ts';
import type { FileRequest, WorkerMessage } from './request.ts';

const ROOT_FD = 3;
const REPORT_FD = 2;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const F_SETFL = 4;
const RLIMIT_DATA = 2;
/** Several times what any honest archive takes, and what an archive may ask for (a zstd window of up to 2 GiB) is more. */
const MOST_MEMORY = 512n << 20n;

async function main(): Promise<WorkerMessage> {
  try {
    const request = JSON.parse(process.argv[2]!) as FileRequest;
    // In a container's own user namespace we are nobody yet: what its root makes is its root's.
    process.setgid!(0);
    process.setuid!(0);
    // Whoever started us is the only one who wants the result.
    call('prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0], 'end with the parent');
    limitMemory();
    // Modules that look at process.stdin or stdout, node:process among them, leave pipes in a mode in which reads fail.
    for (const fd of [0, 1, REPORT_FD]) call('fcntl', [fd, F_SETFL, 0], 'let reads and writes wait');
    bind(
      'mknod',
      'utimensat',
      'lsetxattr',
      'lgetxattr',
      'llistxattr',
      'lseek',
      'openat',
      'rename',
      'statx',
      'syncfs',
    );
    const opener = createFileOpener();
    refuseOwnRoot();
    call('fchdir', [ROOT_FD], 'enter the directory');
    call('chroot', ['.'], 'make the directory the root');
    process.chdir('/');
    process.umask(0);
    return { done: await perform(request, { opener, onProgress: (progress) => say({ progress }) }) };
  } catch (error) {
    const { reason, message } = fileError(error);
    return { failed: { reason, message } };
  }
}

function limitMemory(): void {
  const limits = Buffer.alloc(16);
  for (const offset of [0, 8]) limits.writeBigUInt64LE(MOST_MEMORY, offset);
  call('setrlimit', [RLIMIT_DATA, limits], 'limit the memory of the worker');
}

/** Whatever mistake was made before us: what is meant for a container or a layer is never done to the host itself. */
function refuseOwnRoot(): void {
  const [own, given] = [statSync('/'), fstatSync(ROOT_FD)];
  if (own.dev === given.dev && own.ino === given.ino)
    throw refuse('the root of the host is no place to work in');
}

function say(message: WorkerMessage): void {
  writeSync(REPORT_FD, `${JSON.stringify(message)}\n`);
}

const outcome = await main();
say(outcome);
// Whatever is still being read of the input.
process.exit('done' in outcome ? 0 : 1);
