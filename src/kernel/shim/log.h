#pragma once
#include <stddef.h>
#include <stdint.h>

/* Moves what a pipe holds into the log file (fd 6). Returns 0 at end of file (or when a pipe that does not block is empty).
 *
 * One record a line, the CRI log format (Kubernetes design proposal kubelet-cri-logging): RFC 3339 time with nanoseconds,
 * stream, F for a whole line or P for a piece of one, text:
 *
 *   2026-11-24T10:00:00.123456789Z stdout F ready
 */
int copy_to_log(int pipe, const char *stream, uint64_t limit);
