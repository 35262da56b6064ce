import type { ByteBuffer } from './byte-buffer.ts';
import type { Column } from './column.ts';

/** A column of a block: its name and type as the header states them, and its values. */
export interface BlockColumn {
  name: string;
  /** Spelled as ClickHouse spells it. */
  type: string;
  column: Column;
}

/**
 * Writes a block of ClickHouse's Native format as a client of revision 0 sends it: number of columns, number of rows, then per
 * column its name, its type and its data. No block info, no serialisation kinds, no compression.
 * @param rows how many values each column was given
 */
export function writeBlock(out: ByteBuffer, columns: readonly BlockColumn[], rows: number): void {
  out.writeVarUint(columns.length);
  out.writeVarUint(rows);
  for (const { name, type, column } of columns) {
    out.writeString(name);
    out.writeString(type);
    // A column without rows has no data at all, not even a prefix.
    if (rows > 0) column.write(out);
  }
}
