/**
 * Netlink messages as bytes (netlink(7), <linux/netlink.h>): header, a fixed body, attributes; all padded to 4 bytes.
 * Integers are in the byte order of the machine, which is little-endian wherever mayfly runs.
 */

/** Length, type, flags, sequence number, port: struct nlmsghdr. */
export const MESSAGE_HEADER_SIZE = 16;
/** Length and type: struct nlattr. */
export const ATTRIBUTE_HEADER_SIZE = 4;

export const NLM_F = {
  NLM_F_REQUEST: 0x1,
  NLM_F_ACK: 0x4,
  /** Of get requests: everything, in several answers. */
  NLM_F_DUMP: 0x300,
  /** Of new requests: it must not exist yet. */
  NLM_F_EXCL: 0x200,
  NLM_F_CREATE: 0x400,
} as const;

const NLA_F_NESTED = 0x8000;

export interface Message {
  readonly type: number;
  /** Besides NLM_F_REQUEST, which every message of ours has. */
  readonly flags?: number;
  /** The struct that the message type begins with, attributes behind it. */
  readonly payload: readonly Uint8Array[];
}

/** One attribute; the payload is padded, its length is not. */
export function attribute(type: number, payload: Uint8Array): Buffer {
  const length = ATTRIBUTE_HEADER_SIZE + payload.length;
  const bytes = Buffer.alloc(align(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(payload, ATTRIBUTE_HEADER_SIZE);
  return bytes;
}

/** An attribute that holds attributes. */
export function nested(type: number, attributes: readonly Uint8Array[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

/** A string attribute's payload, with its NUL. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Several messages as one packet. The kernel answers the first that fails, else acknowledges the last one marked. */
export function encodePacket(messages: readonly Message[]): Buffer {
  return Buffer.concat(
    messages.map(({ type, flags = 0, payload }, sequence) => {
      const body = Buffer.concat(payload);
      const bytes = Buffer.alloc(align(MESSAGE_HEADER_SIZE + body.length));
      bytes.writeUInt32LE(MESSAGE_HEADER_SIZE + body.length, 0);
      bytes.writeUInt16LE(type, 4);
      bytes.writeUInt16LE(flags | NLM_F.NLM_F_REQUEST, 6);
      bytes.writeUInt32LE(sequence, 8);
      body.copy(bytes, MESSAGE_HEADER_SIZE);
      return bytes;
    }),
  );
}

/** The same with an acknowledgement of the last message, which is what a program's netlink instruction waits for. */
export function acknowledged(messages: readonly Message[]): Buffer {
  const last = messages.length - 1;
  return encodePacket(
    messages.map((message, i) =>
      i === last ? { ...message, flags: (message.flags ?? 0) | NLM_F.NLM_F_ACK } : message,
    ),
  );
}

export const align = (length: number): number => Math.ceil(length / 4) * 4;
