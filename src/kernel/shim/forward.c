/* The forwarder: TCP connections from the host into a container, without a copy through user space.
 *
 *             +----------- connection ------------+
 *   client <--|--> splice --> pipe --> splice ----|--> service     one pipe each way: what the reader does not take
 *             |<-- splice <-- pipe <-- splice <---|                fills it, and then the writer is not read from
 *             +-----------------------------------+
 *
 * Each end of a connection that closes for writing is closed for writing at the other side too, and no sooner than what
 * came before it has been passed on. */
#include "forward.h"
#include <asm/mman.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/time_types.h>
#include "adopt-listeners.h"
#include "sys.h"

/* <linux/socket.h> and <linux/tcp.h> of the kernel; the uapi headers leave these to libc. */
#define FAMILY_INET 2
#define TYPE_STREAM 1
#define LEVEL_SOCKET 1
#define OPTION_LINGER 13
#define LEVEL_TCP 6
#define OPTION_NODELAY 1
#define SHUT_WRITE 1
#define WITHOUT_WAITING 2 /* SPLICE_F_NONBLOCK */

#define MAX_CONNECTIONS 8192
#define CHUNK 65536
#define BATCH 64
#define LISTENER (1ull << 32)
#define ADOPTION (~0ull)
/* How long no connection is accepted when descriptors or memory have run out. */
#define PAUSE_NANOSECONDS 50000000

struct direction {
  int from, to, in, out;
  /* Bytes in the pipe. */
  long pending;
  /* The writer has ended; the reader has been told. */
  int ended, told;
};

struct connection {
  int client, service, connected;
  struct direction there, back;
  uint32_t next_free;
};

static struct {
  struct connection *connections;
  struct forward_rule *rules;
  uint32_t rule_count, used, free;
  /* Where other listeners may come from; -1 for nowhere. */
  int adoption;
  int epoll, paused;
} forwarder;

#define NONE (~0u)

static void close_all(const int *fds, int count) {
  for (int i = 0; i < count; i++)
    if (fds[i] >= 0) SYS1(close, fds[i]);
}

/* A client learns by a reset that its connection has failed, and not merely ended. */
static void reset(int socket) {
  struct {
    int on, seconds;
  } at_once = {1, 0};
  SYS5(setsockopt, socket, LEVEL_SOCKET, OPTION_LINGER, &at_once, sizeof at_once);
}

static void drop(struct connection *connection, int failed) {
  if (failed) {
    reset(connection->client);
    reset(connection->service);
  }
  int fds[] = {connection->client,   connection->service,  connection->there.in,
               connection->there.out, connection->back.in, connection->back.out};
  close_all(fds, 6);
  connection->client = -1;
  connection->next_free = forwarder.free;
  forwarder.free = (uint32_t)(connection - forwarder.connections);
}

/* Moves what can be moved now. False when the connection has failed. */
static int pump(struct direction *d) {
  for (int moved = 1; moved;) {
    moved = 0;
    if (!d->ended) {
      long n = SYS6(splice, d->from, 0, d->in, 0, CHUNK, WITHOUT_WAITING);
      if (n > 0) d->pending += n;
      if (n == 0) d->ended = 1;
      if (n < 0 && n != -EAGAIN && n != -EINTR) return 0;
      moved = n >= 0 || n == -EINTR;
    }
    if (d->pending > 0) {
      long n = SYS6(splice, d->out, 0, d->to, 0, d->pending, WITHOUT_WAITING);
      if (n > 0) d->pending -= n;
      if (n < 0 && n != -EAGAIN && n != -EINTR) return 0;
      moved |= n > 0 || n == -EINTR;
    }
  }
  if (d->ended && d->pending == 0 && !d->told) {
    SYS2(shutdown, d->to, SHUT_WRITE);
    d->told = 1;
  }
  return 1;
}

/* Negative errno, -EALREADY among them while the service has not answered. */
static long connect_on(int service, const struct forward_rule *rule) {
  return SYS3(connect, service, rule->address, sizeof rule->address);
}

static void serve(struct connection *connection, const struct forward_rule *rule) {
  if (connection->client < 0) return;
  if (!connection->connected) {
    long result = connect_on(connection->service, rule);
    if (result == -EALREADY || result == -EINPROGRESS || result == -EINTR) return;
    if (result < 0 && result != -EISCONN) return drop(connection, 1);
    connection->connected = 1;
  }
  if (!pump(&connection->there) || !pump(&connection->back)) return drop(connection, 1);
  if (connection->there.told && connection->back.told) drop(connection, 0);
}

static int watch(int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {events, data};
  return SYS4(epoll_ctl, forwarder.epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static uint32_t take_slot(void) {
  uint32_t slot = forwarder.free;
  if (slot != NONE) {
    forwarder.free = forwarder.connections[slot].next_free;
    return slot;
  }
  return forwarder.used < MAX_CONNECTIONS ? forwarder.used++ : NONE;
}

/* False when there is nothing to open a connection with. */
static int open_connection(int client, uint32_t slot, uint32_t number) {
  const struct forward_rule *rule = &forwarder.rules[number];
  int there[2] = {-1, -1}, back[2] = {-1, -1};
  int service = (int)SYS3(socket, FAMILY_INET, TYPE_STREAM | O_CLOEXEC | O_NONBLOCK, 0);
  struct connection *connection = &forwarder.connections[slot];
  *connection = (struct connection){.client = client, .service = service, .next_free = NONE};
  if (service < 0 || SYS2(pipe2, there, O_CLOEXEC | O_NONBLOCK) < 0 || SYS2(pipe2, back, O_CLOEXEC | O_NONBLOCK) < 0) {
    int fds[] = {service, there[0], there[1]};
    close_all(fds, 3);
    return 0;
  }
  int on = 1;
  SYS5(setsockopt, client, LEVEL_TCP, OPTION_NODELAY, &on, sizeof on);
  SYS5(setsockopt, service, LEVEL_TCP, OPTION_NODELAY, &on, sizeof on);
  connection->there = (struct direction){.from = client, .to = service, .in = there[1], .out = there[0]};
  connection->back = (struct direction){.from = service, .to = client, .in = back[1], .out = back[0]};
  uint64_t data = (uint64_t)slot | (uint64_t)number << 33;
  uint32_t changes = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  if (!watch(client, changes, data) || !watch(service, changes, data)) {
    drop(connection, 1);
    return 1;
  }
  serve(connection, rule);
  return 1;
}

static void set_listening(int on) {
  for (uint32_t i = 0; i < forwarder.rule_count; i++) {
    struct epoll_event event = {on ? EPOLLIN : 0, LISTENER | (uint64_t)i << 33};
    SYS4(epoll_ctl, forwarder.epoll, EPOLL_CTL_MOD, forwarder.rules[i].listener, &event);
  }
  forwarder.paused = !on;
}

/* One connection at a time, so that no listener starves the connections that are there. */
static void accept_on(uint32_t number) {
  uint32_t slot = take_slot();
  if (slot == NONE) return set_listening(0);
  forwarder.connections[slot].client = -1;
  long client = SYS4(accept4, forwarder.rules[number].listener, 0, 0, O_CLOEXEC | O_NONBLOCK);
  if (client >= 0 && open_connection((int)client, slot, number)) return;
  if (client >= 0) {
    reset((int)client);
    SYS1(close, client);
  }
  forwarder.connections[slot].client = -1;
  forwarder.connections[slot].next_free = forwarder.free;
  forwarder.free = slot;
  /* What a client did wrong concerns that client only; whatever else there may be is not better at once. */
  if (client != -EAGAIN && client != -ECONNABORTED && client != -EINTR) set_listening(0);
}

static int watch_listeners(void) {
  for (uint32_t i = 0; i < forwarder.rule_count; i++)
    if (!watch(forwarder.rules[i].listener, EPOLLIN, LISTENER | (uint64_t)i << 33)) return 0;
  return 1;
}

/* Other listeners take the place of ours, once. Connections that are there go on. */
static void serve_adoption(void) {
  for (uint32_t i = 0; i < forwarder.rule_count; i++)
    SYS4(epoll_ctl, forwarder.epoll, EPOLL_CTL_DEL, forwarder.rules[i].listener, 0);
  int taken = take_listeners(forwarder.adoption, forwarder.rules, forwarder.rule_count);
  /* Before the launcher is told, because nothing can go wrong after that. */
  if (!watch_listeners()) leave(125);
  if (taken && !await_beginning(forwarder.adoption)) leave(125);
  SYS1(close, forwarder.adoption);
}

/* Nothing but the listeners, the way to others and the epoll is to be kept open: not the log's pipes, not the lock, not the
 * launcher's control socket. The last of the rest is the report pipe, whose end says that the forwarder is at work. */
static void close_others(void) {
  uint32_t lowest = ~0u, highest = forwarder.adoption < 0 ? 0 : (uint32_t)forwarder.adoption;
  for (uint32_t i = 0; i < forwarder.rule_count; i++) {
    uint32_t fd = (uint32_t)forwarder.rules[i].listener;
    if (fd < lowest) lowest = fd;
    if (fd > highest) highest = fd;
  }
  if ((uint32_t)forwarder.epoll != highest + 1) forwarder.epoll = (int)SYS3(dup3, forwarder.epoll, highest + 1, O_CLOEXEC);
  SYS3(close_range, highest + 2, ~0u, 0);
  SYS3(close_range, 0, lowest - 1, 0);
}

static long begin(struct forward_rule *rules, uint32_t count, int adoption) {
  long table = SYS6(mmap, 0, MAX_CONNECTIONS * sizeof *forwarder.connections, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (table < 0 && table > -4096) return table;
  forwarder.connections = (struct connection *)table;
  forwarder.rules = rules;
  forwarder.rule_count = count;
  forwarder.adoption = adoption;
  forwarder.free = NONE;
  long epoll = SYS1(epoll_create1, O_CLOEXEC);
  if (epoll < 0) return epoll;
  forwarder.epoll = (int)epoll;
  if (!watch_listeners()) return -EBADF;
  if (adoption >= 0 && !watch(adoption, EPOLLIN, ADOPTION)) return -EBADF;
  return 0;
}

long forward(struct forward_rule *rules, uint32_t count, int adoption) {
  long begun = begin(rules, count, adoption);
  if (begun < 0) return begun;
  /* Writing to who has gone is an error of that connection, no signal. */
  uint64_t all = ~0ull;
  SYS4(rt_sigprocmask, 0, &all, 0, SIG_MASK_BYTES);
  close_others();
  struct __kernel_timespec pause = {0, PAUSE_NANOSECONDS};
  for (;;) {
    struct epoll_event events[BATCH];
    long ready = SYS6(epoll_pwait2, forwarder.epoll, events, BATCH, forwarder.paused ? &pause : 0, 0, 0);
    if (forwarder.paused) set_listening(1);
    for (long i = 0; i < ready; i++) {
      uint32_t number = (uint32_t)(events[i].data >> 33);
      if (events[i].data == ADOPTION) serve_adoption();
      else if (events[i].data & LISTENER) accept_on(number);
      else serve(&forwarder.connections[(uint32_t)events[i].data], &rules[number]);
    }
  }
}
