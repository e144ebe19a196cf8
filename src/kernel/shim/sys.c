#include "sys.h"

#ifdef MAYFLY_HOSTED

#include <errno.h>
#include <unistd.h>

long sys(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}

#elif defined(__x86_64__)

long sys(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  and $-16, %rsp\n  call main\n  hlt\n");

#elif defined(__aarch64__)

long sys(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  bl main\n  brk #1\n");

#else
#error "the shim knows x86-64 and arm64"
#endif

#ifndef MAYFLY_HOSTED
/* The compiler may call these whatever the flags. */
void *memset(void *to, int byte, size_t length) {
  volatile unsigned char *p = to;
  while (length--) *p++ = (unsigned char)byte;
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  volatile unsigned char *p = to;
  const unsigned char *q = from;
  while (length--) *p++ = *q++;
  return to;
}
#endif

int read_all(int fd, void *buffer, size_t length) {
  char *p = buffer;
  while (length > 0) {
    long n = SYS3(read, fd, p, length);
    if (n == -EINTR) continue;
    if (n <= 0) return 0;
    p += n;
    length -= (size_t)n;
  }
  return 1;
}

int write_all(int fd, const void *buffer, size_t length) {
  const char *p = buffer;
  while (length > 0) {
    long n = SYS3(write, fd, p, length);
    if (n == -EINTR) continue;
    if (n <= 0) return 0;
    p += n;
    length -= (size_t)n;
  }
  return 1;
}
