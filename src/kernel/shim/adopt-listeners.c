#include "adopt-listeners.h"
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "message.h"
#include "sys.h"

#define MAX_RIGHTS 253 /* SCM_MAX_FD of the kernel's <net/scm.h> */

int take_listeners(int socket, struct forward_rule *rules, uint32_t count) {
  static uint8_t addresses[MAX_RIGHTS][sizeof rules->address];
  static struct {
    size_t length;
    int level, type, descriptors[MAX_RIGHTS + 1];
  } control;
  struct iovec part = {addresses, sizeof addresses};
  struct message_header message = {0};
  message.parts = &part;
  message.part_count = 1;
  message.control = &control;
  message.control_length = sizeof control;
  long length;
  do {
    length = SYS3(recvmsg, socket, &message, RECEIVE_CLOEXEC);
  } while (length == -EINTR);
  if (length <= 0) return 0;
  size_t rights = sizeof control.length + 2 * sizeof(int) + count * sizeof(int);
  if (count > MAX_RIGHTS || (size_t)length != count * sizeof addresses[0] || message.control_length < rights ||
      control.length != rights || control.level != LEVEL_SOCKET || control.type != RIGHTS)
    leave(125);
  for (uint32_t i = 0; i < count; i++) {
    memcpy(rules[i].address, addresses[i], sizeof addresses[i]);
    if (SYS3(dup3, control.descriptors[i], rules[i].listener, O_CLOEXEC) < 0) leave(125);
    SYS1(close, control.descriptors[i]);
  }
  return 1;
}

int await_beginning(int socket) {
  char byte = 0;
  return write_all(socket, &byte, 1) && read_all(socket, &byte, 1);
}
