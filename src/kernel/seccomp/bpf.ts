/** Classic BPF as seccomp(2) takes it: opcodes of <linux/bpf_common.h>, 8 bytes an instruction (struct sock_filter). */
const LOAD = 0x20;
const AND = 0x54;
const RETURN = 0x06;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;

type Test = 'equal' | 'greater' | 'greater-equal';
const TESTS: Readonly<Record<Test, number>> = {
  equal: JUMP_EQUAL,
  greater: JUMP_GREATER,
  'greater-equal': JUMP_GREATER_EQUAL,
};

/**
 * A piece of filter code, two numbers an instruction: opcode and jumps (u16, u8 if true, u8 if false), then the operand. Pieces are put
 * together by plain concatenation.
 */
export type Code = readonly number[];

const one = (code: number, k: number, jumpTrue = 0, jumpFalse = 0): Code => [
  code | (jumpTrue << 16) | (jumpFalse << 24),
  k,
];

/** Loads the 32-bit word at an offset of struct seccomp_data. */
export const load = (offset: number): Code => one(LOAD, offset);
export const and = (mask: number): Code => one(AND, mask);
export const give = (verdict: number): Code => one(RETURN, verdict);

/** Runs `yes` when the test of the loaded word holds, else `no`. Neither may be entered from elsewhere. */
export function branch(test: Test, k: number, { yes, no }: { yes: Code; no: Code }): Code {
  // A conditional jump reaches 255 instructions, an unconditional one everything; so the test picks between the next
  // instruction, which jumps over `yes`, and the one after it.
  return one(TESTS[test], k, 1).concat(one(JUMP, yes.length / 2), yes, no);
}

/** The bytes of a filter; little-endian, as the machines that mayfly runs on. */
export function assemble(code: Code): Buffer {
  return Buffer.from(new Uint32Array(code).buffer);
}
