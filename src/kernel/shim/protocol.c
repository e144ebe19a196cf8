#include "protocol.h"
#include "message.h"
#include "sys.h"

void send_frame(uint32_t type, const void *head, uint32_t head_length, const void *tail, uint32_t tail_length) {
  struct frame frame = {type, head_length + tail_length};
  struct iovec parts[3] = {
      {&frame, sizeof frame},
      {(void *)(uintptr_t)head, head_length},
      {(void *)(uintptr_t)tail, tail_length},
  };
  struct message_header message = {0};
  message.parts = parts;
  message.part_count = 3;
  long sent;
  do {
    sent = SYS3(sendmsg, FD_CONTROL, &message, SEND_NOSIGNAL);
  } while (sent == -EINTR);
}
