/** Integer types that both sides agree on; all little-endian, as on every machine that mayfly supports. */
const SIZES = { u8: 1, u16: 2, i32: 4, u32: 4, i64: 8, u64: 8 } as const;
const C_TYPES = {
  u8: 'uint8_t',
  u16: 'uint16_t',
  i32: 'int32_t',
  u32: 'uint32_t',
  i64: 'int64_t',
  u64: 'uint64_t',
};

type Scalar = keyof typeof SIZES;
type Field = Scalar | readonly [Scalar, number];

/** A C struct described once: TypeScript writes it by `offset`, C gets the declaration from {@link declareStruct}. */
export interface Layout<Name extends string> {
  readonly size: number;
  readonly offset: Readonly<Record<Name, number>>;
  readonly fields: Readonly<Record<Name, Field>>;
}

/**
 * Lays fields out in the order given.
 *
 * @throws RangeError when a field is not naturally aligned: C would insert padding that TypeScript does not know.
 */
export function layout<Name extends string>(fields: Readonly<Record<Name, Field>>): Layout<Name> {
  const offset = {} as Record<Name, number>;
  let position = 0;
  let alignment = 1;
  for (const [name, field] of Object.entries(fields) as [Name, Field][]) {
    const [scalar, count] = typeof field === 'string' ? [field, 1] : field;
    if (position % SIZES[scalar] !== 0) throw new RangeError(`field ${name} at ${position} is not aligned`);
    offset[name] = position;
    position += SIZES[scalar] * count;
    alignment = Math.max(alignment, SIZES[scalar]);
  }
  // As in C, so that structs can follow each other.
  return { size: Math.ceil(position / alignment) * alignment, offset, fields };
}

/** The struct in C, with a static assertion that the compiler laid it out alike. */
export function declareStruct(name: string, { fields, size }: Layout<string>): string {
  const members = Object.entries(fields).map(([field, type]) =>
    typeof type === 'string' ? `  ${C_TYPES[type]} ${field};` : `  ${C_TYPES[type[0]]} ${field}[${type[1]}];`,
  );
  return [
    `struct ${name} {`,
    ...members,
    '};',
    `_Static_assert(sizeof(struct ${name}) == ${size}, "layout of ${name}");`,
    '',
  ].join('\n');
}
