import type { ByteBuffer } from './byte-buffer.ts';
import { LowCardinalityColumn, writeLowCardinalityPrefix } from './low-cardinality.ts';

const TWO_TO_32 = 4_294_967_296;

/** Writes one column of a block: its data only, the header is the block's. */
export type ColumnWriter<Row> = (out: ByteBuffer, rows: readonly Row[]) => void;

/*
 * Each factory takes how to read the value off a row. One small function per column instead of `row[name]`: V8 compiles a
 * property access that always sees the same shape and name to one load, and a computed name to a hash look-up.
 */

export function stringColumn<Row>(read: (row: Row) => string): ColumnWriter<Row> {
  return (out, rows) => {
    for (const row of rows) out.writeString(read(row));
  };
}

/** Integers from 0 to 65,535. */
export function uint16Column<Row>(read: (row: Row) => number): ColumnWriter<Row> {
  return (out, rows) => {
    out.reserve(rows.length * 2);
    const { view } = out;
    let position = out.length;
    for (const row of rows) {
      view.setUint16(position, read(row), true);
      position += 2;
    }
    out.length = position;
  };
}

/** Integers from 0 to 2^32 - 1. */
export function uint32Column<Row>(read: (row: Row) => number): ColumnWriter<Row> {
  return (out, rows) => {
    out.reserve(rows.length * 4);
    const { view } = out;
    let position = out.length;
    for (const row of rows) {
      view.setUint32(position, read(row), true);
      position += 4;
    }
    out.length = position;
  };
}

/**
 * Integers from 0 to 2^53 - 1 as eight bytes: UInt64, DateTime64 (a count of its unit since 1970) and Decimal(18) (a count
 * of its last place) all look like this.
 */
export function uint53Column<Row>(read: (row: Row) => number): ColumnWriter<Row> {
  return (out, rows) => {
    out.reserve(rows.length * 8);
    const { view } = out;
    let position = out.length;
    for (const row of rows) {
      const value = read(row);
      view.setUint32(position, value >>> 0, true);
      view.setUint32(position + 4, (value / TWO_TO_32) >>> 0, true);
      position += 8;
    }
    out.length = position;
  };
}

/** All of UInt64, read as two halves of 32 bits. */
export function uint64Column<Row>(readLow: (row: Row) => number, readHigh: (row: Row) => number): ColumnWriter<Row> {
  return (out, rows) => {
    out.reserve(rows.length * 8);
    const { view } = out;
    let position = out.length;
    for (const row of rows) {
      view.setUint32(position, readLow(row), true);
      view.setUint32(position + 4, readHigh(row), true);
      position += 8;
    }
    out.length = position;
  };
}

export function lowCardinalityColumn<Row>(read: (row: Row) => string): ColumnWriter<Row> {
  const column = new LowCardinalityColumn(0);
  return (out, rows) => {
    column.start(rows.length);
    for (const row of rows) column.add(read(row));
    writeLowCardinalityPrefix(out);
    column.write(out);
  };
}

/** Prefix, then the end of every row's stretch in the one flat column of all elements, then that column. */
export function lowCardinalityArrayColumn<Row>(read: (row: Row) => readonly string[]): ColumnWriter<Row> {
  const elements = new LowCardinalityColumn(0);
  return (out, rows) => {
    elements.start(0);
    writeLowCardinalityPrefix(out);
    out.reserve(rows.length * 8);
    const { view } = out;
    let position = out.length;
    let end = 0;
    for (const row of rows) {
      const values = read(row);
      for (const value of values) elements.add(value);
      end += values.length;
      view.setUint32(position, end, true);
      view.setUint32(position + 4, 0, true);
      position += 8;
    }
    out.length = position;
    elements.write(out);
  };
}
