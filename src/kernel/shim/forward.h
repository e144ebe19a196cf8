#pragma once
#include "abi.h"

/* Accepts connections on the rules' listeners for ever and moves the bytes of each to the rule's address and back. Over the socket
 * `adoption`, unless that is -1, other listeners and addresses may take their place (adopt-listeners.h). Every other descriptor is
 * closed. Returns, with a negative errno, only when it cannot begin. */
long forward(struct forward_rule *rules, uint32_t count, int adoption);
