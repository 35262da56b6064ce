import type { ByteBuffer } from './byte-buffer.ts';

/**
 * A column of a block in the making. Each kind has an `add` of its own, which takes the next row's value. Numbers are kept as
 * they are written, which is little-endian, as every processor is that the engine and Node both run on.
 */
export interface Column {
  /** Forgets the block before, keeps the memory. */
  start(): void;
  /** Writes the column's data; the header is the block's. */
  write(out: ByteBuffer): void;
}
