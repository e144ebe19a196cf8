#include "handover.h"
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "message.h"
#include "sys.h"

int receive_descriptor(int socket, int as) {
  struct {
    size_t length;
    int level, type, descriptor, padding;
  } control = {0};
  char byte;
  struct iovec part = {&byte, 1};
  struct message_header message = {0};
  message.parts = &part;
  message.part_count = 1;
  message.control = &control;
  message.control_length = sizeof control;
  long length;
  do {
    length = SYS3(recvmsg, socket, &message, RECEIVE_CLOEXEC);
  } while (length == -EINTR);
  if (length != 1 || message.control_length < sizeof control - sizeof(int)) return 0;
  if (control.level != LEVEL_SOCKET || control.type != RIGHTS) return 0;
  SYS3(dup3, control.descriptor, as, O_CLOEXEC);
  SYS1(close, control.descriptor);
  return 1;
}
