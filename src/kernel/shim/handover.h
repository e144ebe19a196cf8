#pragma once

/* Receives the descriptor that comes in a message on `socket` (SCM_RIGHTS, unix(7)), and gives it the number `as`, which may be that
 * of the socket. False when the message has none. */
int receive_descriptor(int socket, int as);
