import { ByteBuffer } from './byte-buffer.ts';
import type { ColumnWriter } from './columns.ts';

/** A column of a block: its name and type as the header states them, and how its data is written. */
export interface BlockColumn<Row> {
  name: string;
  /** Spelled as ClickHouse spells it. */
  type: string;
  write: ColumnWriter<Row>;
}

const INITIAL_BYTES = 1 << 20;

/**
 * Makes blocks of ClickHouse's Native format as a client of revision 0 sends them: number of columns, number of rows, then
 * per column its name, its type and its data. No block info, no serialisation kinds, no compression.
 *
 * An encoder keeps its buffers from block to block, so the bytes it returns hold only until its next call.
 */
export class BlockEncoder<Row> {
  private readonly columns: readonly BlockColumn<Row>[];
  private readonly out = new ByteBuffer(INITIAL_BYTES);

  constructor(columns: readonly BlockColumn<Row>[]) {
    this.columns = columns;
  }

  encode(rows: readonly Row[]): Buffer {
    const { out } = this;
    out.start();
    out.writeVarUint(this.columns.length);
    out.writeVarUint(rows.length);
    for (const column of this.columns) {
      out.writeString(column.name);
      out.writeString(column.type);
      // A column without rows has no data at all, not even a prefix.
      if (rows.length > 0) column.write(out, rows);
    }
    return out.content();
  }
}
