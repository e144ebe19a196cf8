#pragma once
#include "abi.h"

/* A loaded program: pointers into one mapping, shared copy-on-write with the children that clone makes. */
struct program {
  struct program_header *header;
  struct section *sections;
  struct instruction *instructions;
  uint8_t *data;
  /* Result of every instruction so far; negative errno for a tolerated failure. */
  int64_t *results;
  /* The last child that this process cloned, and its pidfd. */
  int child;
  int child_pidfd;
};

/* A failure as it travels from a child to the supervisor and on to the launcher: the results tell what was tolerated
 * on the way, such as which of the candidates of execve were not there. */
struct failure_record {
  struct failure failure;
  int32_t results[1000];
};

/* Fills in a record for the instruction that failed; returns its length in bytes, less than a page. */
uint32_t describe_failure(const struct program *program, int index, struct failure_record *record);

/* Reads the program frame from the control socket. Leaves the process when it is not a program. */
void load_program(struct program *program);

/* Runs the instructions of one section. Returns -1, or the index of the instruction that failed; its errno is then
 * in results. Does not return in a child whose section ends in execve. */
int run_section(struct program *program, uint32_t section);

/* Runs a section as a freshly cloned child, in the role the section has; never returns. */
_Noreturn void become(struct program *program, uint32_t section);
