#pragma once
#include <linux/poll.h>
#include "abi.h"

/* The clients of a process's streams: they see what it writes and write what it reads, by frames (protocol.h).
 *
 *   pipes or terminal ---> log
 *          |  ^
 *          v  |
 *        clients      up to MAX_CLIENTS, of the listener (fd 28) or handed over by the launcher (fd 29)
 *
 * One that does not read misses what is written meanwhile and is told how much; nothing waits for it. The launcher's own client
 * is the exception: nothing is read from the process while that has something to take, as in a pipeline of a shell. */
enum { ATTACH_LISTENER, ATTACH_INPUT, ATTACH_CLIENTS, ATTACH_WATCHED = ATTACH_CLIENTS + 8 };

/* Makes ready what the header's word `attach` says is there. */
void attach_begin(uint32_t features);

/* Writes down what to poll for. */
void attach_watch(struct pollfd watched[ATTACH_WATCHED]);

/* Does what the poll has found to do. */
void attach_serve(const struct pollfd watched[ATTACH_WATCHED]);

/* Descriptor of the terminal's master, once it is there; -1 before, and without one. */
int attach_terminal(void);

/* True while nothing more is to be read from the process. */
int attach_is_full(void);

/* True while any client has something to take. */
int attach_has_rest(void);

/* Hands what the process has written to all clients; `type` is that of the frame. Not while attach_is_full. */
void attach_show(uint32_t type, const void *bytes, uint32_t length);

/* Lets go of all clients, whatever they have not taken. */
void attach_drop_all(void);
