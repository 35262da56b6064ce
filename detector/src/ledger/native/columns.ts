import type { ByteBuffer } from './byte-buffer.ts';
import type { Column } from './column.ts';
import { LowCardinalityColumn, writeLowCardinalityPrefix } from './low-cardinality.ts';

const TWO_TO_32 = 4_294_967_296;
/** Rows that the first memory of a column holds; it doubles when they are more. */
const ROWS_INITIAL = 1 << 10;

export class StringColumn implements Column {
  private readonly texts: ByteBuffer;

  constructor(texts: ByteBuffer) {
    this.texts = texts;
  }

  start(): void {
    this.texts.start();
  }

  add(value: string): void {
    this.texts.writeString(value);
  }

  write(out: ByteBuffer): void {
    out.append(this.texts.content());
  }
}

/** UInt16 or UInt32, or Int8 in two's complement, by the width it is made with. */
export class UIntColumn implements Column {
  private values: Uint8Array | Uint16Array | Uint32Array;
  private count = 0;

  constructor(bits: 8 | 16 | 32) {
    this.values =
      bits === 8
        ? new Uint8Array(ROWS_INITIAL)
        : bits === 16
          ? new Uint16Array(ROWS_INITIAL)
          : new Uint32Array(ROWS_INITIAL);
  }

  start(): void {
    this.count = 0;
  }

  add(value: number): void {
    if (this.count === this.values.length) this.values = doubled(this.values);
    this.values[this.count++] = value;
  }

  write(out: ByteBuffer): void {
    out.append(bytesOf(this.values, this.count));
  }
}

/**
 * Eight bytes a value: UInt64, DateTime64 (a count of its unit since 1970) and Decimal(18) (a count of its last place) all look
 * like this. Two halves of 32 bits each, because a BigInt costs an allocation.
 */
export class UInt64Column implements Column {
  private halves = new Uint32Array(ROWS_INITIAL * 2);
  private count = 0;

  start(): void {
    this.count = 0;
  }

  /** Takes an integer from -2^53 + 1 to 2^53 - 1; a negative one in two's complement, which sums of unsigned numbers take back as well. */
  add(value: number): void {
    this.addHalves(value >>> 0, Math.floor(value / TWO_TO_32) >>> 0);
  }

  /** The same value for so many rows. */
  addTimes(value: number, rows: number): void {
    for (let row = 0; row < rows; row++) this.add(value);
  }

  addHalves(low: number, high: number): void {
    if (this.count === this.halves.length) this.halves = doubled(this.halves);
    this.halves[this.count] = low;
    this.halves[this.count + 1] = high;
    this.count += 2;
  }

  write(out: ByteBuffer): void {
    out.append(bytesOf(this.halves, this.count));
  }
}

/** Array(LowCardinality(String)): prefix, then the end of every row's stretch in the one flat column of all elements, then that. */
export class LabelsColumn implements Column {
  private readonly ends = new UInt64Column();
  private readonly elements = new LowCardinalityColumn();
  private end = 0;

  start(): void {
    this.ends.start();
    this.elements.start();
    this.end = 0;
  }

  add(values: readonly string[]): void {
    for (const value of values) this.elements.add(value);
    this.end += values.length;
    this.ends.add(this.end);
  }

  write(out: ByteBuffer): void {
    writeLowCardinalityPrefix(out);
    this.ends.write(out);
    this.elements.writeValues(out);
  }
}

function doubled<Values extends Uint8Array | Uint16Array | Uint32Array>(values: Values): Values {
  const grown = new (values.constructor as new (length: number) => Values)(values.length * 2);
  grown.set(values);
  return grown;
}

function bytesOf(values: Uint8Array | Uint16Array | Uint32Array, count: number): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, count * values.BYTES_PER_ELEMENT);
}
