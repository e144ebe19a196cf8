import koffi, { type KoffiFunc } from 'koffi';
import { isErrno, SystemError } from './system-error.ts';

/**
 * The one place where koffi is imported: every C function that mayfly calls in its own process.
 *
 * Calls are synchronous and short. Anything that could block (mount, wait, unpack) is an instruction of a
 * program instead and runs in the shim.
 */
const libc = koffi.load(null);

const prototypes = {
  flock: 'int flock(int fd, int operation)',
  kill: 'int kill(int pid, int signal)',
  link: 'int linkat(int olddir, const char *oldpath, int newdir, const char *newpath, int flags)',
  mknod: 'int mknodat(int dir, const void *path, uint mode, uint64_t device)',
  rename: 'int renameat(int olddir, const char *oldpath, int newdir, const char *newpath)',
  chroot: 'int chroot(const char *path)',
  lsetxattr: 'int lsetxattr(const void *path, const char *name, const void *value, size_t size, int flags)',
  lgetxattr: 'long lgetxattr(const void *path, const char *name, _Out_ void *value, size_t size)',
  llistxattr: 'long llistxattr(const void *path, _Out_ void *list, size_t size)',
  statx: 'int statx(int dir, const void *path, int flags, uint mask, _Out_ void *buffer)',
  utimensat: 'int utimensat(int dir, const void *path, const void *times, int flags)',
  close: 'int close(int fd)',
  openat: 'int openat(int dir, const char *path, int flags)',
  lseek: 'long lseek(int fd, long offset, int whence)',
  fchdir: 'int fchdir(int fd)',
  syncfs: 'int syncfs(int fd)',
  fcntl: 'int fcntl(int fd, int command, long argument)',
  socket: 'int socket(int domain, int type, int protocol)',
  socketpair: 'int socketpair(int domain, int type, int protocol, _Out_ int *pair)',
  bind: 'int bind(int fd, const void *address, uint length)',
  connect: 'int connect(int fd, const void *address, uint length)',
  listen: 'int listen(int fd, int backlog)',
  setsockopt: 'int setsockopt(int fd, int level, int option, const void *value, uint length)',
  getsockname: 'int getsockname(int fd, _Out_ void *address, _Inout_ int *length)',
  send: 'long send(int fd, const void *buffer, size_t length, int flags)',
  recv: 'long recv(int fd, _Out_ void *buffer, size_t length, int flags)',
  sendmsg: 'long sendmsg(int fd, const void *message, int flags)',
  pipe2: 'int pipe2(_Out_ int *pair, int flags)',
  memfd_create: 'int memfd_create(const char *name, uint flags)',
  getuid: 'uint getuid()',
  prctl: 'int prctl(int option, ulong a, ulong b, ulong c, ulong d)',
  statfs: 'int statfs(const char *path, _Out_ void *buffer)',
  getrlimit: 'int getrlimit(int resource, _Out_ void *limits)',
  setrlimit: 'int setrlimit(int resource, const void *limits)',
  posix_spawn_file_actions_init: 'int posix_spawn_file_actions_init(void *actions)',
  posix_spawn_file_actions_adddup2: 'int posix_spawn_file_actions_adddup2(void *actions, int from, int to)',
  posix_spawn_file_actions_addchdir_np:
    'int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)',
  posix_spawn_file_actions_destroy: 'int posix_spawn_file_actions_destroy(void *actions)',
  posix_spawnattr_init: 'int posix_spawnattr_init(void *attributes)',
  posix_spawnattr_setflags: 'int posix_spawnattr_setflags(void *attributes, short flags)',
  posix_spawnattr_destroy: 'int posix_spawnattr_destroy(void *attributes)',
  posix_spawn:
    'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
} as const;

type Name = keyof typeof prototypes;
type Argument = number | bigint | string | Uint8Array | Int32Array | readonly (string | null)[] | null;

const functions = new Map<Name, KoffiFunc<(...args: unknown[]) => unknown>>();

function bound(name: Name): KoffiFunc<(...args: unknown[]) => unknown> {
  let fn = functions.get(name);
  if (fn === undefined) {
    fn = libc.func(prototypes[name]);
    functions.set(name, fn);
  }
  return fn;
}

/** Looks functions up before they are needed, for a process that will not see its libraries any more (chroot). */
export function bind(...names: Name[]): void {
  for (const name of names) bound(name);
}

/**
 * Calls one libc function and returns its result; EINTR is retried. For an error in `tolerate` it returns -1.
 *
 * @throws SystemError when the function returns -1; `what` says what was being done and to which path.
 */
export function call(
  name: Name,
  args: readonly Argument[],
  what: string,
  tolerate: readonly string[] = [],
): number {
  const fn = bound(name);
  for (;;) {
    const result = Number(fn(...args));
    if (result !== -1) return result;
    const errno = koffi.errno();
    if (errno === koffi.os.errno.EINTR) continue;
    const error = new SystemError(name, errno, what);
    if (!isErrno(error, ...tolerate)) throw error;
    return -1;
  }
}

const waitpid = libc.func('int waitpid(int pid, _Out_ int *status, int options)');
const WNOHANG = 1;

/**
 * Reaps a child: at once when it has ended, else on a thread of the pool, so that the event loop goes on. Resolves with nothing: who
 * cares reads frames.
 */
export function reap(pid: number): Promise<void> {
  return new Promise((resolve) => {
    if (waitpid(pid, [0], WNOHANG) !== 0) return resolve();
    waitpid.async(pid, [0], 0, () => resolve());
  });
}

/** Milliseconds. */
const REAP_PAUSE = 100;

/** Reaps a child that is about to end, some time later, unless this process ends first. */
export function reapLater(pid: number): void {
  const look = () => {
    if (waitpid(pid, [0], WNOHANG) === 0) reapLater(pid);
  };
  setTimeout(look, REAP_PAUSE).unref();
}

const syscallFunction = libc.func('long syscall(long n, long a, long b, long c, long d, long e, long f)');
const syscallPointers = new Map<string, KoffiFunc<(...args: unknown[]) => unknown>>();

/**
 * A system call by number, for those that libc has no wrapper for. Buffers are passed as pointers.
 *
 * @throws SystemError as {@link call} does.
 */
export function syscall(
  number: number,
  args: readonly (number | bigint | string | Uint8Array)[],
  what: string,
): number {
  const shape = args.map((arg) =>
    typeof arg === 'string' ? 'const char *' : typeof arg === 'object' ? 'void *' : 'long',
  );
  let fn =
    shape.includes('const char *') || shape.includes('void *')
      ? syscallPointers.get(shape.join())
      : syscallFunction;
  if (fn === undefined) {
    const types = [...shape, ...Array<string>(6 - shape.length).fill('long')];
    fn = libc.func(`long syscall(long n, ${types.map((type, i) => `${type} a${i}`).join(', ')})`);
    syscallPointers.set(shape.join(), fn);
  }
  const padded = [...args, ...Array<number>(6 - args.length).fill(0)];
  for (;;) {
    const result = Number(fn(number, ...padded));
    if (result !== -1) return result;
    const errno = koffi.errno();
    if (errno !== koffi.os.errno.EINTR) throw new SystemError('syscall', errno, what);
  }
}

/** Where bytes lie in memory, for structs that hold pointers. Good for as long as `bytes` is referenced. */
export function addressOf(bytes: Uint8Array): bigint {
  return BigInt(koffi.address(bytes));
}
