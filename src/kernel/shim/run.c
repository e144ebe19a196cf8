#include <linux/netlink.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/time_types.h>
#include "copy-tree.h"
#include "forward.h"
#include "program.h"
#include "sys.h"

/* True when an operand is the result of an instruction that failed or was skipped: then this one is skipped too. */
static int gather(const struct program *program, const struct instruction *instruction, long values[6]) {
  for (int i = 0; i < 6; i++) {
    uint64_t value = instruction->values[i];
    if (i < instruction->operands && instruction->operand_kinds[i] == OPERAND_RESULT) {
      int64_t result = program->results[value];
      if (result < 0) return 0;
      value = (uint64_t)result;
    } else if (i < instruction->operands && instruction->operand_kinds[i] == OPERAND_DATA) {
      value = (uint64_t)(uintptr_t)(program->data + value);
    }
    values[i] = (long)value;
  }
  return 1;
}

/* A child never outlives who cloned it. The death signal alone leaves a gap: a parent that died before the child asked for
 * it sends none. So the child then looks at a pidfd of its parent, which is readable once the parent has ended. */
static void bind_to_parent(int parent) {
  struct pollfd ended = {parent, POLLIN, 0};
  struct __kernel_timespec at_once = {0};
  SYS2(prctl, PR_SET_PDEATHSIG, SIGNAL_KILL);
  if (SYS5(ppoll, &ended, 1, &at_once, 0, 0) != 0) leave(128 + SIGNAL_KILL);
  SYS1(close, parent);
}

static long clone_child(struct program *program, const struct instruction *instruction, const long values[6]) {
  int pidfd = -1;
  struct clone_args args = {0};
  args.flags = (uint64_t)values[0] | CLONE_PIDFD;
  args.pidfd = (uint64_t)(uintptr_t)&pidfd;
  args.exit_signal = SIGNAL_CHILD;
  if (instruction->operands > 1) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)values[1];
  }
  long self = SYS2(pidfd_open, SYS0(getpid), 0);
  if (self < 0) return self;
  long pid = SYS2(clone3, &args, sizeof args);
  if (pid == 0) {
    bind_to_parent((int)self);
    become(program, (uint32_t)instruction->number);
  }
  SYS1(close, self);
  if (pid > 0) {
    program->child = (int)pid;
    program->child_pidfd = pidfd;
  }
  return pid;
}

/* Sends the message and waits for the kernel's verdict on it, which for rtnetlink and nfnetlink comes before send
 * returns. Other answers (none are asked for) are passed over. */
static long netlink_exchange(const long values[6]) {
  long sent = SYS6(sendto, values[0], values[1], values[2], 0, 0, 0);
  if (sent < 0) return sent;
  _Alignas(8) uint8_t answer[4096];
  for (;;) {
    long length = SYS6(recvfrom, values[0], answer, sizeof answer, 0, 0, 0);
    if (length == -EINTR) continue;
    if (length < 0) return length;
    for (long at = 0; at + (long)sizeof(struct nlmsghdr) <= length;) {
      struct nlmsghdr *header = (void *)(answer + at);
      if (header->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)(header + 1))->error;
      if (header->nlmsg_len < sizeof *header) return -EBADMSG;
      at += (long)((header->nlmsg_len + 3u) & ~3u);
    }
  }
}

static int tolerated(const struct instruction *instruction, long result) {
  for (int i = 0; i < 4; i++)
    if (instruction->tolerate[i] != 0 && instruction->tolerate[i] == -result) return 1;
  return 0;
}

int run_section(struct program *program, uint32_t number) {
  const struct section *section = &program->sections[number];
  for (uint32_t i = section->first; i < section->first + section->count; i++) {
    const struct instruction *instruction = &program->instructions[i];
    long values[6];
    if (!gather(program, instruction, values)) {
      program->results[i] = -ECANCELED;
      continue;
    }
    long result;
    int injected = (int64_t)i == program->header->fail_index ? program->header->fail_errno : 0;
    do {
      if (injected != 0) {
        result = -injected;
        injected = 0;
      } else if (instruction->kind == KIND_CLONE)
        result = clone_child(program, instruction, values);
      else if (instruction->kind == KIND_NETLINK)
        result = netlink_exchange(values);
      else if (instruction->kind == KIND_FORWARD)
        result = forward((struct forward_rule *)values[0], (uint32_t)values[1],
                         instruction->operands > 2 ? (int)values[2] : -1);
      else if (instruction->kind == KIND_COPY_TREE)
        result = copy_tree((int)values[0], (int)values[1]);
      else
        result = sys(instruction->number, values[0], values[1], values[2], values[3], values[4], values[5]);
    } while (result == -EINTR);
    program->results[i] = result;
    /* Addresses look negative; only the last page of numbers are errors. */
    if (result < 0 && result > -4096 && !tolerated(instruction, result)) return (int)i;
  }
  return -1;
}
