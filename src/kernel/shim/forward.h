#pragma once
#include "abi.h"

/* Accepts connections on the rules' listeners for ever and moves the bytes of each to the rule's address and back. Every
 * other descriptor is closed. Returns, with a negative errno, only when it cannot begin. */
long forward(const struct forward_rule *rules, uint32_t count);
