#include "log.h"
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>
#include "abi.h"
#include "sys.h"

#define PREFIX_LENGTH 40
#define BLOCK 4096u

static char output[65536];
static size_t output_length;
static uint64_t written, punched;

static char *put_number(char *to, uint64_t value, int digits) {
  for (int i = digits; i-- > 0; value /= 10) to[i] = (char)('0' + value % 10);
  return to + digits;
}

/* Days since 1970 to a civil date: proleptic Gregorian, years counted from March so that leap days come last. */
static char *put_time(char *to) {
  struct __kernel_timespec now = {0};
  SYS2(clock_gettime, 0, &now);
  uint64_t days = (uint64_t)now.tv_sec / 86400 + 719468, second = (uint64_t)now.tv_sec % 86400;
  uint64_t era = days / 146097, day_of_era = days % 146097;
  uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  uint64_t shifted_month = (5 * day_of_year + 2) / 153;
  uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  uint64_t parts[] = {year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted_month + 2) / 5 + 1,
                      second / 3600, second / 60 % 60, second % 60, (uint64_t)now.tv_nsec};
  static const char after[] = "--T::.Z";
  static const int digits[] = {4, 2, 2, 2, 2, 2, 9};
  for (int i = 0; i < 7; i++) {
    to = put_number(to, parts[i], digits[i]);
    *to++ = after[i];
  }
  return to;
}

/* Keeps the file's size growing, so that a reader's offset stays true, but gives the oldest blocks back. */
static void flush_output(uint64_t limit) {
  if (output_length == 0) return;
  if (write_all(FD_LOG, output, output_length)) written += output_length;
  output_length = 0;
  if (limit == 0 || written - punched <= limit) return;
  uint64_t keep_from = (written - limit / 2) / BLOCK * BLOCK;
  if (keep_from <= punched) return;
  SYS4(fallocate, FD_LOG, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, punched, keep_from - punched);
  punched = keep_from;
}

static void put(const char *from, size_t length) {
  for (size_t i = 0; i < length; i++) output[output_length++] = from[i];
}

void write_log(const char *stream, const char *bytes, long length, uint64_t limit) {
  char prefix[PREFIX_LENGTH];
  size_t prefix_length = (size_t)(put_time(prefix) - prefix);
  for (long at = 0; at < length;) {
    long end = at;
    while (end < length && bytes[end] != '\n') end++;
    int whole = end < length;
    if (output_length + PREFIX_LENGTH + 16 + (size_t)(end - at) > sizeof output) flush_output(limit);
    put(prefix, prefix_length);
    put(" ", 1);
    put(stream, 6);
    put(whole ? " F " : " P ", 3);
    put(bytes + at, (size_t)(end - at));
    put("\n", 1);
    at = end + 1;
  }
  flush_output(limit);
}
