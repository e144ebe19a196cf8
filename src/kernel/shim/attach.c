#include "attach.h"
#include <asm/ioctls.h>
#include <asm/termios.h>
#include <linux/fcntl.h>
#include "handover.h"
#include "output.h"
#include "sys.h"

#define MAX_CLIENTS (ATTACH_WATCHED - ATTACH_CLIENTS)
#define SEND_AT_ONCE 0x40 /* MSG_DONTWAIT */

struct client {
  int fd, waited;
  /* The frame that is coming in: its head as far as it is there, what is left of its body. */
  uint8_t head[sizeof(struct frame)];
  uint32_t head_length, body_left;
  uint8_t size[4];
  /* What goes out: a frame. */
  uint8_t rest[sizeof(struct frame) + MAX_OUTPUT];
  uint32_t rest_at, rest_length, missed;
};

static struct {
  struct client clients[MAX_CLIENTS];
  /* Input on its way to the process; no more is taken from clients until it has been. */
  uint8_t input[4096];
  uint32_t input_at, input_length, features;
  int has_terminal, has_size;
  struct winsize size;
} attach;

static int takes_input(void) {
  return (attach.features & ATTACH_PIPE) || attach.has_terminal;
}

static void drop(struct client *client) {
  SYS1(close, client->fd);
  client->fd = -1;
}

void attach_drop_all(void) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (attach.clients[i].fd >= 0) drop(&attach.clients[i]);
}

static void add_client(int fd, int waited) {
  for (int i = 0; i < MAX_CLIENTS; i++) {
    struct client *client = &attach.clients[i];
    if (client->fd >= 0) continue;
    client->fd = fd;
    client->waited = waited;
    client->head_length = client->body_left = client->rest_at = client->rest_length = client->missed = 0;
    return;
  }
  SYS1(close, fd);
}

void attach_begin(uint32_t features) {
  attach.features = features;
  for (int i = 0; i < MAX_CLIENTS; i++) attach.clients[i].fd = -1;
  if (features & ATTACH_CLIENT) add_client(FD_ATTACHED, 1);
  if (features & ATTACH_PIPE) SYS3(fcntl, FD_INPUT, F_SETFL, O_NONBLOCK);
}

int attach_terminal(void) {
  return attach.has_terminal ? FD_INPUT : -1;
}

int attach_is_full(void) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (attach.clients[i].fd >= 0 && attach.clients[i].waited && attach.clients[i].rest_length > 0) return 1;
  return 0;
}

int attach_has_rest(void) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (attach.clients[i].fd >= 0 && attach.clients[i].rest_length > 0) return 1;
  return 0;
}

void attach_watch(struct pollfd watched[ATTACH_WATCHED]) {
  uint32_t features = attach.features;
  int awaits_terminal = (features & ATTACH_TERMINAL) && !attach.has_terminal;
  watched[ATTACH_LISTENER] = (struct pollfd){features & ATTACH_LISTEN ? FD_ATTACH : -1, POLLIN, 0};
  watched[ATTACH_INPUT] = (struct pollfd){-1, POLLIN, 0};
  if (awaits_terminal) watched[ATTACH_INPUT].fd = FD_INPUT;
  else if (attach.input_length > 0) watched[ATTACH_INPUT] = (struct pollfd){FD_INPUT, POLLOUT, 0};
  for (int i = 0; i < MAX_CLIENTS; i++) {
    const struct client *client = &attach.clients[i];
    short events = (short)((attach.input_length == 0 ? POLLIN : 0) | (client->rest_length > 0 ? POLLOUT : 0));
    watched[ATTACH_CLIENTS + i] = (struct pollfd){client->fd, events, 0};
  }
}

static void put_frame(struct client *client, uint32_t type, const void *bytes, uint32_t length);

/* Sends what can be sent now; then that something was missed, so that it is told even when nothing more comes. */
static void flush(struct client *client) {
  while (client->rest_at < client->rest_length) {
    long sent = SYS6(sendto, client->fd, client->rest + client->rest_at, client->rest_length - client->rest_at,
                     SEND_NOSIGNAL | SEND_AT_ONCE, 0, 0);
    if (sent == -EINTR) continue;
    if (sent == -EAGAIN) return;
    if (sent < 0) return drop(client);
    client->rest_at += (uint32_t)sent;
  }
  client->rest_at = client->rest_length = 0;
  if (client->missed == 0) return;
  put_frame(client, FRAME_MISSED, &client->missed, sizeof client->missed);
  client->missed = 0;
  flush(client);
}

static void put(struct client *client, const void *bytes, uint32_t length) {
  memcpy(client->rest + client->rest_length, bytes, length);
  client->rest_length += length;
}

static void put_frame(struct client *client, uint32_t type, const void *bytes, uint32_t length) {
  struct frame frame = {type, length};
  put(client, &frame, sizeof frame);
  put(client, bytes, length);
}

void attach_show(uint32_t type, const void *bytes, uint32_t length) {
  for (int i = 0; i < MAX_CLIENTS; i++) {
    struct client *client = &attach.clients[i];
    if (client->fd < 0) continue;
    if (client->rest_length > 0) {
      client->missed += length;
      continue;
    }
    put_frame(client, type, bytes, length);
    flush(client);
  }
}

static void resize(void) {
  if (attach.has_terminal && attach.has_size) SYS3(ioctl, FD_INPUT, TIOCSWINSZ, &attach.size);
}

/* What nobody will ever read is thrown away. */
static void push_input(void) {
  while (attach.input_length > 0) {
    long written = SYS3(write, FD_INPUT, attach.input + attach.input_at, attach.input_length);
    if (written == -EINTR) continue;
    if (written == -EAGAIN) return;
    if (written < 0) written = attach.input_length;
    attach.input_at += (uint32_t)written;
    attach.input_length -= (uint32_t)written;
  }
}

static void end_input(void) {
  if (!(attach.features & ATTACH_PIPE)) return;
  SYS1(close, FD_INPUT);
  attach.features &= ~(uint32_t)ATTACH_PIPE;
}

/* Reads a part of a body. False when there is nothing, or no client any longer. */
static int take(struct client *client, void *to, uint32_t most, uint32_t *got) {
  long length = SYS3(read, client->fd, to, most);
  if (length == -EAGAIN || length == -EINTR) return 0;
  if (length <= 0) {
    drop(client);
    return 0;
  }
  *got = (uint32_t)length;
  return 1;
}

static void take_body(struct client *client, uint32_t type) {
  uint32_t got = 0;
  if (type == FRAME_INPUT) {
    uint32_t most = client->body_left < sizeof attach.input ? client->body_left : sizeof attach.input;
    if (!take(client, attach.input, most, &got)) return;
    client->body_left -= got;
    attach.input_at = 0;
    attach.input_length = takes_input() || (attach.features & ATTACH_TERMINAL) ? got : 0;
    if (takes_input()) push_input();
    return;
  }
  if (!take(client, client->size + sizeof client->size - client->body_left, client->body_left, &got)) return;
  client->body_left -= got;
  if (client->body_left > 0) return;
  uint16_t size[2];
  memcpy(size, client->size, sizeof size);
  attach.size = (struct winsize){.ws_row = size[0], .ws_col = size[1]};
  attach.has_size = 1;
  resize();
}

/* One step at a time, so that no client keeps the others waiting. */
static void take_from(struct client *client) {
  struct frame frame;
  if (client->head_length < sizeof frame) {
    uint32_t got = 0;
    if (!take(client, client->head + client->head_length, sizeof frame - client->head_length, &got)) return;
    client->head_length += got;
    if (client->head_length < sizeof frame) return;
    memcpy(&frame, client->head, sizeof frame);
    int sized = frame.type == FRAME_INPUT || (frame.type == FRAME_RESIZE && frame.length == sizeof client->size) ||
                (frame.type == FRAME_END_INPUT && frame.length == 0);
    if (!sized) return drop(client);
    client->body_left = frame.length;
    if (frame.type == FRAME_END_INPUT) end_input();
  } else {
    memcpy(&frame, client->head, sizeof frame);
    take_body(client, frame.type);
  }
  if (client->body_left == 0) client->head_length = 0;
}

void attach_serve(const struct pollfd watched[ATTACH_WATCHED]) {
  if (watched[ATTACH_INPUT].revents) {
    if ((attach.features & ATTACH_TERMINAL) && !attach.has_terminal) {
      attach.has_terminal = receive_descriptor(FD_INPUT, FD_INPUT);
      resize();
    }
    if (takes_input()) push_input();
  }
  for (int i = 0; i < MAX_CLIENTS; i++) {
    struct client *client = &attach.clients[i];
    short events = watched[ATTACH_CLIENTS + i].revents;
    if (client->fd < 0 || client->fd != watched[ATTACH_CLIENTS + i].fd) continue;
    if (events & POLLOUT) flush(client);
    if (client->fd < 0) continue;
    if ((events & POLLIN) && attach.input_length == 0) take_from(client);
    else if ((events & (POLLHUP | POLLERR)) && !(events & POLLIN)) drop(client);
  }
  if (watched[ATTACH_LISTENER].revents) {
    long client = SYS4(accept4, FD_ATTACH, 0, 0, O_CLOEXEC | O_NONBLOCK);
    if (client >= 0) add_client((int)client, 0);
  }
}
