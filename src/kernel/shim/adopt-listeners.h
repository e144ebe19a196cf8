#pragma once
#include "abi.h"

/* How a forwarder that is at work comes by other listening sockets, over a socket whose other end the launcher has:
 *
 *   launcher -> forwarder                            forwarder -> launcher
 *   the addresses of all rules, with the listeners
 *                                                    one byte: they are mine
 *   one byte: begin
 *
 * In between nothing is accepted on them, because the addresses are still somebody else's. */

/* Receives the listeners, each in the place of that of the rule before, and the addresses. False when the launcher has let go of
 * the socket instead; what makes no sense ends the process. */
int take_listeners(int socket, struct forward_rule *rules, uint32_t count);

/* Says that they are there. Returns when the launcher says to begin; false when it has gone. */
int await_beginning(int socket);
