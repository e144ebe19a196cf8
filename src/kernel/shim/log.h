#pragma once
#include <stddef.h>
#include <stdint.h>

/* Writes what was read from one of the streams into the log file (fd 6).
 *
 * One record a line, the CRI log format (Kubernetes design proposal kubelet-cri-logging): RFC 3339 time with nanoseconds,
 * stream, F for a whole line or P for a piece of one, text:
 *
 *   2026-11-24T10:00:00.123456789Z stdout F ready
 */
void write_log(const char *stream, const char *bytes, long length, uint64_t limit);
