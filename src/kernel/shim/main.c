/* mayfly's shim: executes one program, then watches over the process that it made.
 *
 * It is started by posix_spawn with a control socket on fd 3 and dies with everything inside when that socket's other
 * end is closed, however that came about; with the header's flag `detached` it goes on alone. */
#include <linux/fcntl.h>
#include <linux/poll.h>
#include "log.h"
#include "program.h"
#include "protocol.h"
#include "sys.h"

enum { CONTROL, CHILD, REPORT, LOG_STDOUT, LOG_STDERR, NOTICE, WATCHED };

/* Node leaves SIGPIPE ignored, and a caller may have blocked anything; children must not inherit either. */
static void reset_signals(void) {
  struct {
    uint64_t handler, flags, restorer, mask;
  } by_default = {0};
  for (int signal = 1; signal <= SIGNAL_COUNT; signal++) SYS4(rt_sigaction, signal, &by_default, 0, SIG_MASK_BYTES);
  uint64_t none = 0;
  SYS4(rt_sigprocmask, 2, &none, 0, SIG_MASK_BYTES);
}

/* Gives every descriptor below FIRST_FREE_FD a meaning and closes all above but those that the launcher passes: none of
 * the caller's leaks in. */
static void reserve_descriptors(uint32_t passed) {
  SYS3(close_range, FIRST_FREE_FD + passed, ~0u, 0);
  for (uint32_t i = 0; i < passed; i++) SYS3(fcntl, FIRST_FREE_FD + i, F_SETFD, FD_CLOEXEC);
  static const char null_device[] = "/dev/null";
  for (int fd = 0; fd < FIRST_FREE_FD; fd++) {
    if (SYS3(fcntl, fd, F_GETFD, 0) >= 0) {
      if (fd > 2) SYS3(fcntl, fd, F_SETFD, FD_CLOEXEC);
      continue;
    }
    long null = SYS4(openat, AT_FDCWD, null_device, O_RDWR | O_CLOEXEC, 0);
    if (null != fd && null >= 0) {
      SYS3(dup3, null, fd, O_CLOEXEC);
      SYS1(close, null);
    }
  }
}

_Noreturn static void fail(struct program *program, const struct failure_record *record, uint32_t length) {
  if (program->child_pidfd >= 0) {
    SYS4(pidfd_send_signal, program->child_pidfd, SIGNAL_KILL, 0, 0);
    SYS4(wait4, program->child, 0, 0, 0);
  }
  if (program->header->teardown >= 0) run_section(program, (uint32_t)program->header->teardown);
  send_frame(FRAME_FAILED, record, length, 0, 0);
  leave(125);
}

/* False when the launcher is gone. */
static int serve_control(const struct program *program) {
  struct frame frame;
  int32_t signal;
  if (!read_all(FD_CONTROL, &frame, sizeof frame)) return 0;
  if (frame.type != FRAME_SIGNAL || frame.length != sizeof signal) return 0;
  if (!read_all(FD_CONTROL, &signal, sizeof signal)) return 0;
  SYS4(pidfd_send_signal, program->child_pidfd, signal, 0, 0);
  return 1;
}

/* A closed pipe means that every copy of its write end is gone: the payload runs its own program now. */
static void serve_report(struct program *program, int report_fd) {
  struct failure_record record;
  long length = SYS3(read, report_fd, &record, sizeof record);
  if (length > 0) fail(program, &record, (uint32_t)length);
  int32_t pid = program->child;
  write_all(FD_RUN_RECORD, &pid, sizeof pid);
  send_frame(FRAME_STARTED, &pid, sizeof pid, 0, 0);
}

static void finish(struct program *program) {
  struct program_header *header = program->header;
  int32_t status = 0;
  SYS4(wait4, program->child, &status, 0, 0);
  /* Everything inside is dead, so what the pipes hold is all there will be. They must not block: a payload may have
   * handed its end of the pipe to a process outside. */
  SYS3(fcntl, FD_LOG_STDOUT, F_SETFL, O_NONBLOCK);
  SYS3(fcntl, FD_LOG_STDERR, F_SETFL, O_NONBLOCK);
  while (copy_to_log(FD_LOG_STDOUT, "stdout", header->log_limit)) {}
  while (copy_to_log(FD_LOG_STDERR, "stderr", header->log_limit)) {}
  if (header->teardown >= 0) run_section(program, (uint32_t)header->teardown);
  uint8_t *report = program->data + header->report_offset;
  write_all(FD_RUN_RECORD, &status, sizeof status);
  write_all(FD_RUN_RECORD, report, header->report_length);
  send_frame(FRAME_EXITED, &status, sizeof status, report, header->report_length);
}

/* Reading is what makes the next event one. False when there will be none, because what was watched is gone. */
static int serve_notice(void) {
  char content[512];
  SYS3(lseek, FD_NOTICE, 0, 0);
  if (SYS3(read, FD_NOTICE, content, sizeof content) <= 0) return 0;
  send_frame(FRAME_NOTICE, 0, 0, 0, 0);
  return 1;
}

static void supervise(struct program *program, int report_fd) {
  struct pollfd watched[WATCHED] = {
      [CONTROL] = {FD_CONTROL, POLLIN, 0},          [CHILD] = {program->child_pidfd, POLLIN, 0},
      [REPORT] = {report_fd, POLLIN, 0},            [LOG_STDOUT] = {FD_LOG_STDOUT, POLLIN, 0},
      [LOG_STDERR] = {FD_LOG_STDERR, POLLIN, 0},
      [NOTICE] = {program->header->notice_events ? FD_NOTICE : -1, (short)program->header->notice_events, 0},
  };
  uint64_t limit = program->header->log_limit;
  for (;;) {
    if (SYS5(ppoll, watched, WATCHED, 0, 0, 0) < 0) continue;
    /* Failure and start come before exit: a payload may have ended by the time its start is read. */
    if (watched[REPORT].revents) {
      serve_report(program, report_fd);
      watched[REPORT].fd = -1;
    }
    if (watched[LOG_STDOUT].revents && !copy_to_log(FD_LOG_STDOUT, "stdout", limit)) watched[LOG_STDOUT].fd = -1;
    if (watched[LOG_STDERR].revents && !copy_to_log(FD_LOG_STDERR, "stderr", limit)) watched[LOG_STDERR].fd = -1;
    if (watched[NOTICE].revents && !serve_notice()) watched[NOTICE].fd = -1;
    if (watched[CHILD].revents) return finish(program);
    if (watched[CONTROL].revents && !serve_control(program)) {
      watched[CONTROL].fd = -1;
      if (!program->header->detached) SYS4(pidfd_send_signal, program->child_pidfd, SIGNAL_KILL, 0, 0);
    }
  }
}

int main(void) {
  struct program program = {.child_pidfd = -1};
  int report[2];
  reset_signals();
  load_program(&program);
  reserve_descriptors(program.header->passed);
  if (SYS2(pipe2, report, O_CLOEXEC) < 0) leave(125);
  SYS3(dup3, report[1], FD_REPORT, O_CLOEXEC);
  SYS1(close, report[1]);
  int failed = run_section(&program, 0);
  struct failure_record record;
  if (failed >= 0) fail(&program, &record, describe_failure(&program, failed, &record));
  if (program.child_pidfd < 0) leave(0);
  /* The children have their own copies; ours would keep these pipes open for ever. */
  SYS3(close_range, FD_STDIN, FD_STDERR, 0);
  SYS1(close, FD_REPORT);
  supervise(&program, report[0]);
  leave(0);
}
