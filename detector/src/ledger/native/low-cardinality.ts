import type { ByteBuffer } from './byte-buffer.ts';
import type { Column } from './column.ts';

/** Version of LowCardinality's serialisation: dictionaries travel with the block that uses them. */
const SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS = 1;
/** In the index word: the block carries its own keys. The lowest byte is the width of the indexes. */
const HAS_ADDITIONAL_KEYS = 0x200;
const INDEX_UINT8 = 0;
const INDEX_UINT16 = 1;
const INDEX_UINT32 = 2;

/** Rows that the first memory holds; it doubles when they are more. */
const ROWS_INITIAL = 1 << 10;

/**
 * The dictionary of one LowCardinality(String) column in one block, and each row's place in it. All is written in one go at the end,
 * because only then is the width of the indexes known.
 */
export class LowCardinalityColumn implements Column {
  private readonly indexOf = new Map<string, number>();
  private readonly keys: string[] = [];
  private indexes = new Uint32Array(ROWS_INITIAL);
  private count = 0;
  private previous: string | null = null;
  private previousIndex = 0;

  /** Forgets the block before, keeps the memory of the indexes. */
  start(): void {
    this.indexOf.clear();
    this.keys.length = 0;
    this.count = 0;
    this.previous = null;
  }

  add(value: string): void {
    // Neighbours often agree (one record holds one credential's events), and comparing is cheaper than hashing.
    if (value !== this.previous) {
      let index = this.indexOf.get(value);
      if (index === undefined) {
        index = this.keys.length;
        this.indexOf.set(value, index);
        this.keys.push(value);
      }
      this.previous = value;
      this.previousIndex = index;
    }
    if (this.count === this.indexes.length) this.growIndexes();
    this.indexes[this.count++] = this.previousIndex;
  }

  /** The same value for so many rows. */
  addTimes(value: string, rows: number): void {
    for (let row = 0; row < rows; row++) this.add(value);
  }

  /** As a column of its own. */
  write(out: ByteBuffer): void {
    writeLowCardinalityPrefix(out);
    this.writeValues(out);
  }

  /** The values without the prefix, as the elements of arrays are written. For none ClickHouse expects not a single byte. */
  writeValues(out: ByteBuffer): void {
    if (this.count === 0) return;
    const keyCount = this.keys.length;
    const width = keyCount <= 0x100 ? INDEX_UINT8 : keyCount <= 0x10000 ? INDEX_UINT16 : INDEX_UINT32;
    out.writeUint64(HAS_ADDITIONAL_KEYS | width);
    out.writeUint64(keyCount);
    for (const key of this.keys) out.writeString(key);
    out.writeUint64(this.count);
    this.writeIndexes(out, width);
  }

  private writeIndexes(out: ByteBuffer, width: number): void {
    const { indexes, count } = this;
    out.reserve(count << width);
    const { bytes, view } = out;
    let position = out.length;
    if (width === INDEX_UINT8) {
      if (this.keys.length === 1) {
        bytes.fill(0, position, position + count);
        position += count;
      } else {
        for (let row = 0; row < count; row++) bytes[position++] = indexes[row] as number;
      }
    } else if (width === INDEX_UINT16) {
      for (let row = 0; row < count; row++, position += 2) view.setUint16(position, indexes[row] as number, true);
    } else {
      for (let row = 0; row < count; row++, position += 4) view.setUint32(position, indexes[row] as number, true);
    }
    out.length = position;
  }

  private growIndexes(): void {
    const grown = new Uint32Array(this.indexes.length * 2);
    grown.set(this.indexes);
    this.indexes = grown;
  }
}

/** What stands before a LowCardinality column's data, and before the offsets of an array of them. */
export function writeLowCardinalityPrefix(out: ByteBuffer): void {
  out.writeUint64(SHARED_DICTIONARIES_WITH_ADDITIONAL_KEYS);
}
