#pragma once
#include <stddef.h>
#include <stdint.h>
#include <linux/uio.h>

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
