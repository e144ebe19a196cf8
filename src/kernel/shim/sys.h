/* The door to the kernel. The shipped shim is freestanding: no libc, nothing but system calls. MAYFLY_HOSTED builds
 * the same source against libc, so that AddressSanitizer and UBSan can watch it. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <sys/syscall.h>

/* A system call by number; the result is the kernel's: negative errno on failure. */
long sys(long number, long a, long b, long c, long d, long e, long f);

#define SYS0(n) sys(SYS_##n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) sys(SYS_##n, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) sys(SYS_##n, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) sys(SYS_##n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) sys(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(n, a, b, c, d, e) sys(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS6(n, a, b, c, d, e, f) sys(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Kernel ABI values that the uapi headers keep apart from libc's. */
#define SIGNAL_KILL 9
#define SIGNAL_PIPE 13
#define SIGNAL_CHILD 17
#define SIGNAL_COUNT 64
#define SIGNAL_BLOCK 0
#define SIG_MASK_BYTES 8
#define WAIT_NOHANG 1
#define SEND_NOSIGNAL 0x4000

/* <string.h>, which a freestanding program has to bring itself. */
void *memcpy(void *restrict to, const void *restrict from, size_t length);

_Noreturn static inline void leave(int code) {
  for (;;) SYS1(exit_group, code);
}

/* Reads or writes all of it; false at end of file or on an error. */
int read_all(int fd, void *buffer, size_t length);
int write_all(int fd, const void *buffer, size_t length);
