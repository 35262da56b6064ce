import { raise } from './errors.ts';

/** A column's type as the engine writes its name: `Map(String, Nullable(UInt8))`. */
type ColumnType = { name: string; args: string[] };

const BYTES: Readonly<Record<string, number>> = {
  ...{ UInt8: 1, Int8: 1, Bool: 1, Enum8: 1, Nothing: 1, UInt16: 2, Int16: 2, Enum16: 2, BFloat16: 2, Date: 2 },
  ...{ UInt32: 4, Int32: 4, Float32: 4, Date32: 4, DateTime: 4, Time: 4, IPv4: 4, UInt64: 8, Int64: 8, Float64: 8 },
  ...{ DateTime64: 8, Time64: 8, UUID: 16, IPv6: 16, UInt128: 16, Int128: 16, UInt256: 32, Int256: 32 },
};

/** Ends a look at bytes that are not all there yet. */
export const SHORT = Symbol('more bytes are needed');

/** A place in bytes that moves on; past their end it throws {@link SHORT}. */
export class Cursor {
  readonly bytes: Buffer;
  at: number;
  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }
  skip(count: number): void {
    if (this.at + count > this.bytes.length) throw SHORT;
    this.at += count;
  }
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      this.skip(1);
      const byte = this.bytes[this.at - 1]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  uint64(): number {
    this.skip(8);
    return Number(this.bytes.readBigUInt64LE(this.at - 8));
  }
  text(): string {
    const length = this.varint();
    this.skip(length);
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}

/** Moves over the rows of a column, as the Native format has them. Throws NOT_IMPLEMENTED for types that have a form of their own. */
export function skipColumn(cursor: Cursor, type: string, rows: number): void {
  if (rows === 0) return;
  skipPrefix(cursor, type);
  skipRows(cursor, type, rows);
}

/** What low cardinality says before any row, wherever it stands in the type. */
function skipPrefix(cursor: Cursor, type: string): void {
  const { name, args } = typeOf(type);
  if (name === 'LowCardinality') cursor.skip(8);
  else if (['Array', 'Nullable', 'Map', 'Tuple'].includes(name)) for (const one of args) skipPrefix(cursor, one);
}

function skipRows(cursor: Cursor, type: string, rows: number): void {
  const { name, args } = typeOf(type);
  const size = name === 'Decimal' ? decimalBytes(Number(args[0])) : name.startsWith('Interval') ? 8 : BYTES[name];
  if (size !== undefined) return cursor.skip(rows * size);
  switch (name) {
    case 'String':
      for (let row = 0; row < rows; row++) cursor.skip(cursor.varint());
      return;
    case 'FixedString':
      return cursor.skip(rows * Number(args[0]));
    case 'Nullable':
      cursor.skip(rows);
      return skipRows(cursor, args[0]!, rows);
    case 'Array':
    case 'Map': {
      // Where each row ends; the last one's end is how many there are.
      cursor.skip((rows - 1) * 8);
      const count = cursor.uint64();
      if (count > 0) for (const one of args) skipRows(cursor, one, count);
      return;
    }
    case 'Tuple':
      for (const one of args) skipRows(cursor, one, rows);
      return;
    case 'SimpleAggregateFunction':
      return skipRows(cursor, args.at(-1)!, rows);
    case 'LowCardinality':
      return skipDictionary(cursor, args[0]!);
    default: {
      const text = `Values of type ${type} can't be sent in the Native format of a protocol version: read them as text, with toString().`;
      throw raise('NOT_IMPLEMENTED', text);
    }
  }
}

/** Distinct values, then for each row which of them it is, in 1, 2, 4 or 8 bytes. */
function skipDictionary(cursor: Cursor, type: string): void {
  const indexBytes = 2 ** (cursor.uint64() & 0xff);
  const { name, args } = typeOf(type);
  const count = cursor.uint64();
  if (count > 0) skipRows(cursor, name === 'Nullable' ? args[0]! : type, count);
  cursor.skip(cursor.uint64() * indexBytes);
}

const decimalBytes = (precision: number): number =>
  precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32;

function typeOf(text: string): ColumnType {
  const open = text.indexOf('(');
  if (open === -1) return { name: text, args: [] };
  const name = text.slice(0, open);
  const args = argumentsIn(text.slice(open + 1, -1));
  // Elements of a tuple may have names before their types.
  return {
    name,
    args: name === 'Tuple' ? args.map((one) => one.replace(/^(?:`(?:[^`\\]|\\.)*`|\w+) (?=\w)/, '')) : args,
  };
}

/** Splits at the commas that stand in no bracket and no quotes. */
function argumentsIn(text: string): string[] {
  const args: string[] = [''];
  let depth = 0;
  for (const [part] of text.matchAll(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[^]/g)) {
    if (part === '(') depth += 1;
    if (part === ')') depth -= 1;
    if (part === ',' && depth === 0) args.push('');
    else args[args.length - 1] += part;
  }
  return args.map((one) => one.trim());
}
