#pragma once
#include <stddef.h>
#include <stdint.h>
#include <linux/uio.h>

/* Descriptors that come with a message: unix(7). */
#define RECEIVE_CLOEXEC 0x40000000 /* MSG_CMSG_CLOEXEC */
#define LEVEL_SOCKET 1
#define RIGHTS 1 /* SCM_RIGHTS */

/* struct msghdr, which the uapi headers leave to libc. */
struct message_header {
  void *name;
  uint32_t name_length;
  struct iovec *parts;
  size_t part_count;
  void *control;
  size_t control_length;
  uint32_t flags;
};
