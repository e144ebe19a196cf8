import { expect, test } from 'vitest';
import { declareStruct, layout } from '../../../../src/kernel/program/layout.ts';

test('offsets follow the order and the sizes of the fields', () => {
  const { offset, size } = layout({ kind: 'u16', operands: 'u16', number: 'i32', values: ['u64', 2] });
  expect(offset).toEqual({ kind: 0, operands: 2, number: 4, values: 8 });
  expect(size).toBe(24);
});

test('a field that C would pad is refused', () => {
  expect(() => layout({ kind: 'u16', value: 'u64' })).toThrow(/value at 2 is not aligned/);
});

test('the C declaration asserts the size that TypeScript computed', () => {
  expect(declareStruct('frame', layout({ type: 'u32', name: ['u8', 4] }))).toMatchInlineSnapshot(`
    "struct frame {
      uint32_t type;
      uint8_t name[4];
    };
    _Static_assert(sizeof(struct frame) == 8, "layout of frame");
    "
  `);
});
