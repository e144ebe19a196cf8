import { expect, test } from 'vitest';
import { bringUp, createVeth } from '../../../../src/kernel/netlink/link.ts';
import {
  acknowledged,
  attribute,
  encodePacket,
  nested,
  text,
} from '../../../../src/kernel/netlink/message.ts';
import { createMasquerade } from '../../../../src/kernel/netlink/nftables.ts';
import { parseAttributes, parseMessages } from '../../../../src/kernel/netlink/parse.ts';
import { addAddress, addDefaultRoute, ipv4Bytes } from '../../../../src/kernel/netlink/route.ts';

const ACK = 0x4;
const flagsOf = (packet: Buffer) => {
  const flags: number[] = [];
  for (let at = 0; at < packet.length; at += Math.ceil(packet.readUInt32LE(at) / 4) * 4)
    flags.push(packet.readUInt16LE(at + 6));
  return flags;
};

test('an attribute says its length without the padding', () => {
  expect(attribute(3, text('lo')).toString('hex')).toBe('070003006c6f0000');
  expect(attribute(3, text('eth')).toString('hex')).toBe('0800030065746800');
});

test('attributes nest, and are read back', () => {
  const bytes = nested(18, [attribute(1, text('veth')), attribute(2, Uint8Array.of(7))]);
  const outer = parseAttributes(bytes);
  const inner = parseAttributes(outer.get(18)!);
  expect(inner.get(1)?.toString()).toBe('veth\0');
  expect([...inner.get(2)!]).toEqual([7]);
});

test('the last of several messages asks for an acknowledgement, and no other', () => {
  const packet = acknowledged([
    bringUp(1),
    addAddress(2, { ip: '10.64.0.2', prefix: 20 }),
    addDefaultRoute(2, '10.64.0.1'),
  ]);
  expect(flagsOf(packet).map((flags) => (flags & ACK) !== 0)).toEqual([false, false, true]);
  expect(parseMessages(packet).map(({ type }) => type)).toEqual([16, 20, 24]);
});

test('a packet without any asks for none', () => {
  expect(flagsOf(encodePacket([bringUp(1)]))).toEqual([0x1]);
});

test('only the end that stays with the socket is born up', () => {
  const packet = acknowledged([createVeth({ name: 'a', index: 0 }, { name: 'b', index: 7 })]);
  expect(packet.readUInt32LE(16 + 8)).toBe(1);
  const { payload } = parseMessages(packet)[0]!;
  const peer = parseAttributes(parseAttributes(parseAttributes(payload.subarray(16)).get(18)!).get(2)!).get(
    1,
  )!;
  expect([peer.readInt32LE(4), peer.readUInt32LE(8)]).toEqual([7, 0]);
});

test('the NAT table is one transaction with one acknowledgement', () => {
  const packet = createMasquerade({ table: 't', source: { base: '10.64.0.0', prefix: 20 }, except: 'mf-0' });
  expect(parseMessages(packet).map(({ type }) => type & 0xff)).toEqual([16, 0, 3, 6, 17]);
  expect(flagsOf(packet).filter((flags) => flags & ACK)).toHaveLength(1);
  expect(packet.includes(Buffer.from([255, 255, 240, 0]))).toBe(true);
});

test('what is no IPv4 address is refused', () => {
  expect([...ipv4Bytes('10.64.0.2')]).toEqual([10, 64, 0, 2]);
  expect(() => ipv4Bytes('10.64.0')).toThrow(RangeError);
});
