/** Extended BPF: opcodes of <linux/bpf.h>, 8 bytes an instruction (struct bpf_insn; kernel bpf/standardization). */
const LOAD_WORD = 0x61;
const AND_IMMEDIATE = 0x54;
const SHIFT_RIGHT = 0x74;
const COPY = 0xbc;
const SET = 0xb4;
const JUMP_UNLESS_IMMEDIATE = 0x55;
const JUMP_UNLESS_REGISTER = 0x5d;
const EXIT = 0x95;
const INSTRUCTION_SIZE = 8;

/** A register, r0 to r9. r0 is the result; r1 points to the context at the start. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** One instruction; the registers are 32 bits wide in all of these. */
export interface BpfInstruction {
  readonly opcode: number;
  readonly to: Register;
  readonly from?: Register;
  /** What a jump passes over, or where a load reads. */
  readonly offset?: number;
  readonly immediate?: number;
}

export const loadWord = (to: Register, from: Register, offset: number): BpfInstruction => ({
  opcode: LOAD_WORD,
  to,
  from,
  offset,
});
export const set = (to: Register, immediate: number): BpfInstruction => ({ opcode: SET, to, immediate });
export const copy = (to: Register, from: Register): BpfInstruction => ({ opcode: COPY, to, from });
export const and = (to: Register, immediate: number): BpfInstruction => ({
  opcode: AND_IMMEDIATE,
  to,
  immediate,
});
export const shiftRight = (to: Register, immediate: number): BpfInstruction => ({
  opcode: SHIFT_RIGHT,
  to,
  immediate,
});
/** Passes over `offset` instructions unless the register holds this. */
export const unless = (to: Register, immediate: number, offset: number): BpfInstruction => ({
  opcode: JUMP_UNLESS_IMMEDIATE,
  to,
  immediate,
  offset,
});
export const unlessSame = (to: Register, from: Register, offset: number): BpfInstruction => ({
  opcode: JUMP_UNLESS_REGISTER,
  to,
  from,
  offset,
});
export const exit: BpfInstruction = { opcode: EXIT, to: 0 };

/** The bytes of a program: u8 opcode, u4 to, u4 from, s16 offset, s32 immediate; little-endian. */
export function assemble(code: readonly BpfInstruction[]): Buffer {
  const bytes = Buffer.alloc(code.length * INSTRUCTION_SIZE);
  code.forEach(({ opcode, to, from = 0, offset = 0, immediate = 0 }, i) => {
    bytes.writeUInt8(opcode, i * INSTRUCTION_SIZE);
    bytes.writeUInt8(to | (from << 4), i * INSTRUCTION_SIZE + 1);
    bytes.writeInt16LE(offset, i * INSTRUCTION_SIZE + 2);
    bytes.writeInt32LE(immediate, i * INSTRUCTION_SIZE + 4);
  });
  return bytes;
}
