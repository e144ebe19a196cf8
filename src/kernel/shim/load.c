#include <asm/mman.h>
#include <linux/mman.h>
#include "program.h"
#include "sys.h"

#define MAX_PROGRAM (16u << 20)

static void *map(size_t length) {
  long address = SYS6(mmap, 0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address < 0 && address > -4096) leave(125);
  return (void *)address;
}

void load_program(struct program *program) {
  struct frame frame;
  if (!read_all(FD_CONTROL, &frame, sizeof frame)) leave(0);
  if (frame.type != FRAME_PROGRAM || frame.length < sizeof(struct program_header) || frame.length > MAX_PROGRAM)
    leave(125);
  uint8_t *bytes = map(frame.length);
  if (!read_all(FD_CONTROL, bytes, frame.length)) leave(0);

  struct program_header *header = (void *)bytes;
  size_t at = sizeof *header;
  program->header = header;
  program->sections = (void *)(bytes + at);
  at += (size_t)header->sections * sizeof(struct section);
  /* Sections are 12 bytes each; the encoder pads them to a multiple of 8. */
  at = (at + 7) & ~(size_t)7;
  program->instructions = (void *)(bytes + at);
  at += (size_t)header->instructions * sizeof(struct instruction);
  uint32_t *relocations = (void *)(bytes + at);
  at += ((size_t)header->relocations * 4 + 7) & ~(size_t)7;
  program->data = bytes + at;
  if (header->magic != PROGRAM_MAGIC || at + header->data != frame.length) leave(125);

  for (uint32_t i = 0; i < header->relocations; i++) {
    uint64_t *cell = (void *)(program->data + relocations[i]);
    /* A null terminator is a cell too, but the encoder lists only the cells that point somewhere. */
    *cell += (uint64_t)(uintptr_t)program->data;
  }
  program->results = map(((size_t)header->instructions + 1) * sizeof *program->results);
}
