#include <linux/wait.h>
#include "program.h"
#include "sys.h"

uint32_t describe_failure(const struct program *program, int index, struct failure_record *record) {
  uint32_t count = program->header->instructions;
  if (count > sizeof record->results / sizeof record->results[0]) count = sizeof record->results / sizeof record->results[0];
  record->failure.index = index;
  record->failure.errno = (int32_t)-program->results[index];
  for (uint32_t i = 0; i < count; i++) record->results[i] = (int32_t)program->results[i];
  return (uint32_t)(sizeof record->failure + count * sizeof record->results[0]);
}

/* PID 1 of a container: reaps whatever is orphaned, passes signals on, ends with its child; the kernel then kills
 * what is left in the namespace. */
_Noreturn static void serve_as_init(const struct program *program) {
  uint64_t all = ~0ull;
  SYS4(rt_sigprocmask, 0, &all, 0, SIG_MASK_BYTES);
  /* Only now may the supervisor see "started": a signal sent from here on is queued, not lost. */
  SYS3(close_range, 3, ~0u, 0);
  for (;;) {
    for (;;) {
      int status = 0;
      long pid = SYS4(wait4, -1, &status, WAIT_NOHANG, 0);
      if (pid <= 0) break;
      if (pid != program->child) continue;
      int signal = status & 0x7f;
      leave(signal == 0 ? (status >> 8) & 0xff : 128 + signal);
    }
    long signal = SYS4(rt_sigtimedwait, &all, 0, 0, SIG_MASK_BYTES);
    if (signal > 0 && signal != SIGNAL_CHILD) SYS2(kill, program->child, signal);
  }
}

_Noreturn void become(struct program *program, uint32_t section) {
  int failed = run_section(program, section);
  uint32_t role = program->sections[section].role;
  if (failed < 0 && role == ROLE_INIT) serve_as_init(program);
  const struct section *self = &program->sections[section];
  int index = failed >= 0 ? failed : (int)(self->first + self->count) - 1;
  struct failure_record record;
  /* One write, which a pipe keeps whole up to a page. */
  write_all(FD_REPORT, &record, describe_failure(program, index, &record));
  leave(125);
}
