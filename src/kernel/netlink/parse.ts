import { ATTRIBUTE_HEADER_SIZE, align, MESSAGE_HEADER_SIZE } from './message.ts';

export interface ReceivedMessage {
  readonly type: number;
  /** What follows the header: the struct of the message type, then attributes. */
  readonly payload: Buffer;
}

/** NLA_F_NESTED and NLA_F_NET_BYTEORDER say how to read an attribute and are not part of its type. */
const TYPE_MASK = 0x3fff;

/** Cuts what one recv returned into messages. */
export function parseMessages(bytes: Buffer): ReceivedMessage[] {
  return cut(bytes, { headerSize: MESSAGE_HEADER_SIZE, lengthAt: (at) => bytes.readUInt32LE(at) }).map(
    ({ at, payload }) => ({ type: bytes.readUInt16LE(at + 4), payload }),
  );
}

/** Attributes by type; of several with one type the last counts. */
export function parseAttributes(bytes: Buffer): Map<number, Buffer> {
  const found = cut(bytes, { headerSize: ATTRIBUTE_HEADER_SIZE, lengthAt: (at) => bytes.readUInt16LE(at) });
  return new Map(found.map(({ at, payload }) => [bytes.readUInt16LE(at + 2) & TYPE_MASK, payload]));
}

interface Piece {
  readonly at: number;
  readonly payload: Buffer;
}

function cut(
  bytes: Buffer,
  { headerSize, lengthAt }: { headerSize: number; lengthAt: (at: number) => number },
): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at + headerSize <= bytes.length; ) {
    const length = lengthAt(at);
    if (length < headerSize || at + length > bytes.length)
      throw new RangeError(`netlink: ${length} bytes announced, ${bytes.length - at} there`);
    pieces.push({ at, payload: bytes.subarray(at + headerSize, at + length) });
    at += align(length);
  }
  return pieces;
}
