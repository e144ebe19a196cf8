/* mayfly's shim: executes one program, then watches over the process that it made.
 *
 * It is started by posix_spawn with a control socket on fd 3 and dies with everything inside when that socket's other
 * end is closed, however that came about; with the header's flag `detached` it goes on alone. */
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>
#include "attach.h"
#include "log.h"
#include "output.h"
#include "program.h"
#include "protocol.h"
#include "sys.h"

enum { CONTROL, CHILD, REPORT, NOTICE, OUTPUTS, ATTACH = OUTPUTS + 3, WATCHED = ATTACH + ATTACH_WATCHED };

/* What a process writes on: two pipes, or the terminal in their place. -1 for what has ended. */
static struct {
  const char *stream;
  uint32_t frame;
  int fd;
} outputs[3] = {
    {"stdout", FRAME_OUTPUT, FD_LOG_STDOUT}, {"stderr", FRAME_ERROR_OUTPUT, FD_LOG_STDERR}, {"stdout", FRAME_OUTPUT, -1}};
enum { TERMINAL = 2 };

/* 200 ms at most. */
#define LINGER_ROUNDS 20
#define LINGER_NANOSECONDS 10000000

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
  if (frame.type == FRAME_DETACH && frame.length == 0) {
    program->header->detached = 1;
    return 1;
  }
  if (frame.type != FRAME_SIGNAL || frame.length != sizeof signal) return 0;
  if (!read_all(FD_CONTROL, &signal, sizeof signal)) return 0;
  SYS4(pidfd_send_signal, program->child_pidfd, signal, 0, 0);
  /* Who is to end at once does not wait until its last words have been taken. */
  if (signal == SIGNAL_KILL) attach_drop_all();
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

/* One read of one output, which is kept and shown. The length, or what read says otherwise. */
static long copy_output(int number, uint64_t log_limit) {
  static char bytes[MAX_OUTPUT];
  long length = SYS3(read, outputs[number].fd, bytes, sizeof bytes);
  if (length <= 0) return length;
  write_log(outputs[number].stream, bytes, length, log_limit);
  attach_show(outputs[number].frame, bytes, (uint32_t)length);
  return length;
}

/* Goes on when the launcher's client has taken what there is for it, or is gone. */
static void await_room(const struct program *program, int *launcher) {
  while (attach_is_full()) {
    struct pollfd watched[WATCHED];
    watched[CONTROL] = (struct pollfd){*launcher, POLLIN, 0};
    attach_watch(watched + ATTACH);
    for (int i = CHILD; i < ATTACH; i++) watched[i] = (struct pollfd){-1, 0, 0};
    if (SYS5(ppoll, watched, WATCHED, 0, 0, 0) < 0) continue;
    attach_serve(watched + ATTACH);
    if (!watched[CONTROL].revents || serve_control(program)) continue;
    *launcher = -1;
    if (!program->header->detached) attach_drop_all();
  }
}

/* The others have a moment for the last words that have been sent to them, and no more. */
static void linger(void) {
  for (int round = 0; round < LINGER_ROUNDS && attach_has_rest(); round++) {
    struct pollfd watched[ATTACH_WATCHED];
    struct __kernel_timespec pause = {0, LINGER_NANOSECONDS};
    attach_watch(watched);
    if (SYS5(ppoll, watched, ATTACH_WATCHED, &pause, 0, 0) > 0) attach_serve(watched);
  }
}

static void finish(struct program *program, int launcher) {
  struct program_header *header = program->header;
  int32_t status = 0;
  SYS4(wait4, program->child, &status, 0, 0);
  if (header->teardown >= 0) run_section(program, (uint32_t)header->teardown);
  uint8_t *report = program->data + header->report_offset;
  write_all(FD_RUN_RECORD, &status, sizeof status);
  write_all(FD_RUN_RECORD, report, header->report_length);
  /* Everything inside is dead, so what the pipes hold is all there will be. They must not block: a payload may have
   * handed its end of the pipe to a process outside. */
  for (int i = 0; i < 3; i++) {
    if (outputs[i].fd < 0) continue;
    SYS3(fcntl, outputs[i].fd, F_SETFL, O_NONBLOCK);
    for (long length = 1; length > 0 || length == -EINTR;) {
      await_room(program, &launcher);
      length = copy_output(i, header->log_limit);
    }
  }
  await_room(program, &launcher);
  linger();
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

static void serve_outputs(const struct pollfd *watched, uint64_t log_limit) {
  for (int i = 0; i < 3; i++) {
    if (!watched[i].revents || attach_is_full()) continue;
    long length = copy_output(i, log_limit);
    if (length == 0 || (length < 0 && length != -EINTR && length != -EAGAIN)) outputs[i].fd = -1;
  }
}

static void supervise(struct program *program, int report_fd) {
  struct pollfd watched[WATCHED] = {
      [CONTROL] = {FD_CONTROL, POLLIN, 0},
      [CHILD] = {program->child_pidfd, POLLIN, 0},
      [REPORT] = {report_fd, POLLIN, 0},
      [NOTICE] = {program->header->notice_events ? FD_NOTICE : -1, (short)program->header->notice_events, 0},
  };
  int had_terminal = 0;
  for (;;) {
    for (int i = 0; i < 3; i++)
      watched[OUTPUTS + i] = (struct pollfd){attach_is_full() ? -1 : outputs[i].fd, POLLIN, 0};
    attach_watch(watched + ATTACH);
    if (SYS5(ppoll, watched, WATCHED, 0, 0, 0) < 0) continue;
    /* The terminal comes before everything that may have been written on it. */
    attach_serve(watched + ATTACH);
    if (!had_terminal && attach_terminal() >= 0) {
      had_terminal = 1;
      outputs[TERMINAL].fd = attach_terminal();
    }
    /* Failure and start come before exit: a payload may have ended by the time its start is read. */
    if (watched[REPORT].revents) {
      serve_report(program, report_fd);
      watched[REPORT].fd = -1;
    }
    serve_outputs(watched + OUTPUTS, program->header->log_limit);
    if (watched[NOTICE].revents && !serve_notice()) watched[NOTICE].fd = -1;
    if (watched[CHILD].revents) return finish(program, watched[CONTROL].fd);
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
  /* Who closes the reading end of its input or of a client's socket is no reason to die. */
  uint64_t broken_pipe = 1ull << (SIGNAL_PIPE - 1);
  SYS4(rt_sigprocmask, SIGNAL_BLOCK, &broken_pipe, 0, SIG_MASK_BYTES);
  attach_begin(program.header->attach);
  supervise(&program, report[0]);
  leave(0);
}
