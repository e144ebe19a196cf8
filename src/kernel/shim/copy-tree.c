/* One walk, depth first; two descriptors a level of depth.
 *
 *   from/            to/
 *     a  ----------->  a        reflink, else the data between the holes
 *     b = a            b = a    found by inode, linked by the path of the first one
 *     d/ ----------->  d/       attributes when its entries are there, or its time would change again */
#include "copy-tree.h"
#include <asm/mman.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include "sys.h"

/* <linux/stat.h> has the types of files only for user space that is not libc's; as octal numbers they are everybody's. */
#define TYPE(mode) ((mode) & 0170000)
#define TYPE_DIRECTORY 0040000
#define TYPE_FILE 0100000
#define TYPE_LINK 0120000

#define SEEK_DATA_FROM 3
#define SEEK_HOLE_FROM 4
#define ENTRIES 4096
#define MAX_DEPTH 400
#define MAX_PATH 4096
#define MAX_XATTR 65536
/* Room for the paths of files with several names: most trees have few. */
#define LINK_ROOM (16u << 20)

struct entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

struct link {
  uint64_t inode;
  uint32_t device_major, device_minor, length;
  char path[];
};

static struct {
  int root, copied, no_reflink;
  char path[MAX_PATH];
  uint32_t path_length, link_used;
  uint8_t *links;
  char names[MAX_XATTR], value[MAX_XATTR];
} tree;

static uint32_t length_of(const char *text) {
  uint32_t length = 0;
  while (text[length]) length++;
  return length;
}

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}


/* Both by descriptors that can read or write. */
static long copy_xattrs(int from, int to) {
  long length = SYS3(flistxattr, from, tree.names, sizeof tree.names);
  if (length == -EOPNOTSUPP) return 0;
  for (long at = 0; at < length; at += length_of(tree.names + at) + 1) {
    long size = SYS4(fgetxattr, from, tree.names + at, tree.value, sizeof tree.value);
    if (size < 0) return size;
    long set = SYS5(fsetxattr, to, tree.names + at, tree.value, size, 0);
    if (set < 0) return set;
  }
  return length < 0 ? length : 0;
}

static long copy_times(int at, const char *name, const struct statx *status, int flags) {
  struct __kernel_timespec times[2] = {
      {status->stx_atime.tv_sec, status->stx_atime.tv_nsec},
      {status->stx_mtime.tv_sec, status->stx_mtime.tv_nsec},
  };
  return SYS4(utimensat, at, name, times, flags);
}

/* The owner first, because a change of it takes the setuid bit and capabilities away. */
static long copy_attributes(int from, int to, const struct statx *status) {
  long result = SYS3(fchown, to, status->stx_uid, status->stx_gid);
  if (result >= 0) result = SYS2(fchmod, to, status->stx_mode & 07777);
  if (result >= 0) result = copy_xattrs(from, to);
  return result < 0 ? result : copy_times(to, 0, status, 0);
}

static long copy_range(int from, int to, int64_t start, int64_t end) {
  int64_t out = start;
  while (start < end) {
    long n = SYS6(copy_file_range, from, &start, to, &out, end - start, 0);
    if (n == -EXDEV || n == -EINVAL || n == -EOPNOTSUPP) {
      if (SYS3(lseek, to, start, 0) < 0) return -EIO;
      n = SYS4(sendfile, to, from, &start, end - start);
      if (n > 0) out = start;
    }
    if (n == -EINTR) continue;
    if (n <= 0) return n < 0 ? n : -EIO;
  }
  return 0;
}

static long copy_content(int from, int to, int64_t size) {
  if (size == 0) return 0;
  if (!tree.no_reflink) {
    long cloned = SYS3(ioctl, to, FICLONE, from);
    if (cloned >= 0) return 0;
    if (cloned == -ENOSPC || cloned == -EDQUOT || cloned == -EIO) return cloned;
    tree.no_reflink = 1;
  }
  tree.copied = 1;
  long result = SYS2(ftruncate, to, size);
  for (int64_t at = 0; result >= 0 && at < size;) {
    long data = SYS3(lseek, from, at, SEEK_DATA_FROM);
    if (data == -ENXIO) break;
    if (data < 0) return data;
    at = SYS3(lseek, from, data, SEEK_HOLE_FROM);
    if (at < 0) return at;
    result = copy_range(from, to, data, at);
  }
  return result;
}

static long copy_file(int from, int to, const char *name, const struct statx *status) {
  int in = (int)SYS4(openat, from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME, 0);
  if (in < 0) return in;
  int out = (int)SYS4(openat, to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  long result = out;
  if (out >= 0) {
    result = copy_content(in, out, (int64_t)status->stx_size);
    if (result >= 0) result = copy_attributes(in, out, status);
    SYS1(close, out);
  }
  SYS1(close, in);
  return result;
}

/* Devices, whiteouts, sockets and pipes, and symbolic links. Only overlay's own attributes can be on these. */
static long copy_node(int from, int to, const char *name, const struct statx *status) {
  long result;
  if (TYPE(status->stx_mode) == TYPE_LINK) {
    result = SYS4(readlinkat, from, name, tree.value, sizeof tree.value - 1);
    if (result < 0) return result;
    tree.value[result] = 0;
    result = SYS3(symlinkat, tree.value, to, name);
  } else {
    uint64_t device = (status->stx_rdev_minor & 0xff) | ((uint64_t)status->stx_rdev_major << 8) |
                      ((uint64_t)(status->stx_rdev_minor & ~0xffu) << 12);
    result = SYS4(mknodat, to, name, status->stx_mode, device);
    if (result >= 0 && TYPE(status->stx_mode) != 0020000) result = SYS3(fchmodat, to, name, status->stx_mode & 07777);
  }
  if (result >= 0) result = SYS5(fchownat, to, name, status->stx_uid, status->stx_gid, AT_SYMLINK_NOFOLLOW);
  return result < 0 ? result : copy_times(to, name, status, AT_SYMLINK_NOFOLLOW);
}

static struct link *find_link(const struct statx *status) {
  for (uint32_t at = 0; at < tree.link_used;) {
    struct link *link = (void *)(tree.links + at);
    if (link->inode == status->stx_ino && link->device_major == status->stx_dev_major &&
        link->device_minor == status->stx_dev_minor)
      return link;
    at += (uint32_t)((sizeof *link + link->length + 8) & ~7ul);
  }
  return 0;
}

/* Remembers under what path a file with several names has been copied. */
static long remember_link(const struct statx *status) {
  struct link *link = (void *)(tree.links + tree.link_used);
  uint32_t needed = (uint32_t)((sizeof *link + tree.path_length + 8) & ~7ul);
  if (tree.link_used + needed > LINK_ROOM) return -ENOMEM;
  tree.link_used += needed;
  link->inode = status->stx_ino;
  link->device_major = status->stx_dev_major;
  link->device_minor = status->stx_dev_minor;
  link->length = tree.path_length;
  for (uint32_t i = 0; i <= tree.path_length; i++) link->path[i] = tree.path[i];
  return 0;
}

static long copy_entries(int from, int to, uint32_t depth);

static long copy_directory(int from, int to, const char *name, const struct statx *status, uint32_t depth) {
  if (depth == MAX_DEPTH) return -ELOOP;
  int in = (int)SYS4(openat, from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME, 0);
  if (in < 0) return in;
  long result = SYS3(mkdirat, to, name, 0700);
  int out = result < 0 ? (int)result : (int)SYS4(openat, to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  result = out;
  if (out >= 0) {
    result = copy_entries(in, out, depth + 1);
    if (result >= 0) result = copy_attributes(in, out, status);
    SYS1(close, out);
  }
  SYS1(close, in);
  return result;
}

static long copy_entry(int from, int to, const char *name, uint32_t depth) {
  struct statx status;
  long result = SYS5(statx, from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status);
  if (result < 0) return result;
  if (TYPE(status.stx_mode) == TYPE_DIRECTORY) return copy_directory(from, to, name, &status, depth);
  if (status.stx_nlink > 1) {
    const struct link *link = find_link(&status);
    if (link != 0) return SYS5(linkat, tree.root, link->path, to, name, 0);
    result = remember_link(&status);
    if (result < 0) return result;
  }
  if (TYPE(status.stx_mode) == TYPE_FILE) return copy_file(from, to, name, &status);
  return copy_node(from, to, name, &status);
}

/* Keeps `tree.path` the path of what is being copied, below the root. */
static long copy_named(int from, int to, const char *name, uint32_t depth) {
  uint32_t before = tree.path_length, length = length_of(name);
  if (before + length + 2 > MAX_PATH) return -ENAMETOOLONG;
  if (before > 0) tree.path[tree.path_length++] = '/';
  for (uint32_t i = 0; i <= length; i++) tree.path[tree.path_length + i] = name[i];
  tree.path_length += length;
  long result = copy_entry(from, to, name, depth);
  tree.path_length = before;
  return result;
}

static long copy_entries(int from, int to, uint32_t depth) {
  _Alignas(8) uint8_t entries[ENTRIES];
  for (;;) {
    long length = SYS3(getdents64, from, entries, sizeof entries);
    if (length <= 0) return length;
    for (long at = 0; at < length;) {
      const struct entry *entry = (const void *)(entries + at);
      at += entry->length;
      if (same(entry->name, ".") || same(entry->name, "..")) continue;
      long result = copy_named(from, to, entry->name, depth);
      if (result < 0) return result;
    }
  }
}

long copy_tree(int from, int to) {
  struct statx status;
  long links = SYS6(mmap, 0, LINK_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (links < 0 && links > -4096) return links;
  tree.links = (void *)links;
  tree.root = to;
  long result = SYS5(statx, from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status);
  if (result >= 0) result = copy_entries(from, to, 0);
  if (result >= 0) result = copy_attributes(from, to, &status);
  return result < 0 ? result : tree.copied;
}
