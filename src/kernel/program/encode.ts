import { errnoNumber } from '../ffi/system-error.ts';
import { type Architecture, syscallNumber } from '../syscalls/numbers.ts';
import { ATTACH, HEADER, INSTRUCTION, OPERAND_KINDS, PROGRAM_MAGIC, ROLES, SECTION } from './abi.ts';
import { DataSection, viewOf, writeCell } from './data-section.ts';
import { type Instruction, NOTICE_EVENTS, OPERATIONS, type Operand, type Program } from './instruction.ts';

/**
 * A program as the bytes that the shim executes; the format is described in abi.ts.
 *
 * @throws RangeError for what no correct caller builds: an unknown system call or errno, more than six operands,
 * more than four tolerated errors, a clone into a section that does not exist.
 */
export function encode(program: Program, architecture: Architecture): Buffer {
  const instructions = program.sections.flatMap((section) => section.instructions);
  const data = new DataSection();
  const code = Buffer.alloc(instructions.length * INSTRUCTION.size);
  instructions.forEach((instruction, i) => {
    const at = code.subarray(i * INSTRUCTION.size, (i + 1) * INSTRUCTION.size);
    encodeInstruction(viewOf(at), { instruction, program, architecture, data });
  });
  const sections = encodeSections(program);
  const { bytes, relocations, slots } = data.finish();
  const report = program.report === undefined ? undefined : slots.get(program.report);
  if (program.report !== undefined && report === undefined) throw new RangeError(`no slot ${program.report}`);

  const header = Buffer.alloc(HEADER.size);
  header.writeUInt32LE(PROGRAM_MAGIC, HEADER.offset.magic);
  header.writeUInt32LE(program.sections.length, HEADER.offset.sections);
  header.writeUInt32LE(instructions.length, HEADER.offset.instructions);
  header.writeUInt32LE(relocations.length, HEADER.offset.relocations);
  header.writeUInt32LE(bytes.length, HEADER.offset.data);
  header.writeUInt32LE(program.passed ?? 0, HEADER.offset.passed);
  header.writeUInt32LE(report?.offset ?? 0, HEADER.offset.report_offset);
  header.writeUInt32LE(report?.length ?? 0, HEADER.offset.report_length);
  header.writeInt32LE(
    program.sections.findIndex((section) => section.role === 'teardown'),
    HEADER.offset.teardown,
  );
  header.writeUInt32LE(program.detached ? 1 : 0, HEADER.offset.detached);
  const attach = (program.attach ?? []).reduce((bits, name) => bits | ATTACH[name], 0);
  header.writeUInt32LE(attach, HEADER.offset.attach);
  header.writeBigUInt64LE(BigInt(program.logLimit ?? 0), HEADER.offset.log_limit);
  header.writeUInt32LE(
    program.notice === undefined ? 0 : NOTICE_EVENTS[program.notice],
    HEADER.offset.notice_events,
  );
  header.writeInt32LE(program.failpoint?.index ?? -1, HEADER.offset.fail_index);
  header.writeInt32LE(program.failpoint ? errnoNumber(program.failpoint.errno) : 0, HEADER.offset.fail_errno);
  return Buffer.concat([header, sections, code, encodeRelocations(relocations), bytes]);
}

function encodeSections(program: Program): Buffer {
  const sections = Buffer.alloc(Math.ceil((program.sections.length * SECTION.size) / 8) * 8);
  let first = 0;
  program.sections.forEach((section, i) => {
    sections.writeUInt32LE(first, i * SECTION.size + SECTION.offset.first);
    sections.writeUInt32LE(section.instructions.length, i * SECTION.size + SECTION.offset.count);
    sections.writeUInt32LE(ROLES[section.role], i * SECTION.size + SECTION.offset.role);
    first += section.instructions.length;
  });
  return sections;
}

function encodeRelocations(relocations: readonly number[]): Buffer {
  const encoded = Buffer.alloc(Math.ceil(relocations.length / 2) * 8);
  relocations.forEach((offset, i) => {
    encoded.writeUInt32LE(offset, i * 4);
  });
  return encoded;
}

interface Context {
  readonly instruction: Instruction;
  readonly program: Program;
  readonly architecture: Architecture;
  readonly data: DataSection;
}

function encodeInstruction(at: DataView, context: Context): void {
  const { instruction, data } = context;
  const { operands, tolerate } = instruction;
  if (operands.length > 6) throw new RangeError(`${instruction.what}: ${operands.length} operands`);
  if (tolerate.length > 4) throw new RangeError(`${instruction.what}: tolerates ${tolerate.length} errors`);
  at.setUint16(INSTRUCTION.offset.kind, OPERATIONS[instruction.kind], true);
  at.setUint16(INSTRUCTION.offset.operands, operands.length, true);
  at.setInt32(INSTRUCTION.offset.number, operationNumber(context), true);
  tolerate.forEach((name, i) => {
    at.setUint16(INSTRUCTION.offset.tolerate + 2 * i, errnoNumber(name), true);
  });
  operands.forEach((operand, i) => {
    at.setUint8(INSTRUCTION.offset.operand_kinds + i, operandKind(operand));
    writeCell(at, operandValue(operand, data), INSTRUCTION.offset.values + 8 * i);
  });
  // A netlink instruction needs the length of its message; the encoder knows it, so callers need not say it.
  const message = operands[1];
  if (instruction.kind === 'netlink' && message?.kind === 'bytes') {
    writeCell(at, message.value.length, INSTRUCTION.offset.values + 16);
  }
}

function operationNumber({ instruction, program, architecture }: Context): number {
  if (!['syscall', 'clone'].includes(instruction.kind)) return 0;
  const number =
    instruction.kind === 'clone'
      ? program.sections.findIndex((section) => section.name === instruction.section)
      : (syscallNumber(architecture, instruction.operation) ?? -1);
  if (number < 0)
    throw new RangeError(`${instruction.what}: no ${instruction.section ?? instruction.operation}`);
  return number;
}

function operandKind(operand: Operand): number {
  if (operand.kind === 'immediate') return OPERAND_KINDS.immediate;
  return operand.kind === 'result' ? OPERAND_KINDS.result : OPERAND_KINDS.data;
}

function operandValue(operand: Operand, data: DataSection): number {
  if (operand.kind === 'immediate') return operand.value;
  return operand.kind === 'result' ? operand.of : data.place(operand);
}
