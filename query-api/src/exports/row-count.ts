import { parquetMetadata } from 'hyparquet';
import type { ExportFormat } from '../../contract/index.ts';

/** Counts the rows of a file while it passes by. */
export interface RowCount {
  add(chunk: Uint8Array): void;
  /** Throws when the file ends in the middle. */
  rows(): number;
}

export function rowCountOf(format: ExportFormat): RowCount {
  if (format === 'parquet') return countInFooter();
  return format === 'csv' ? countLines(1, true) : countLines(0, false);
}

const LINE_FEED = 10;
const QUOTE = 34;

/** Rows end with a line feed; in CSV one inside quotes is part of a cell, and a doubled quote changes nothing about that. */
function countLines(headerLines: number, isQuoting: boolean): RowCount {
  let lines = 0;
  let isQuoted = false;
  let last = LINE_FEED;
  return {
    add(chunk) {
      for (const byte of chunk) {
        if (isQuoting && byte === QUOTE) isQuoted = !isQuoted;
        else if (byte === LINE_FEED && !isQuoted) lines += 1;
        last = byte;
      }
    },
    rows() {
      if (last !== LINE_FEED || isQuoted || lines < headerLines)
        throw new Error('The file ends in the middle of a row.');
      return lines - headerLines;
    },
  };
}

/** Footers are some kilobytes a row group; a file with a longer one is none of ours. */
const FOOTER_BYTES_MAX = 16 * 1024 * 1024;

/** A Parquet file says at its end how many rows it has. */
function countInFooter(): RowCount {
  const tail: Uint8Array[] = [];
  let held = 0;
  return {
    add(chunk) {
      tail.push(chunk);
      held += chunk.length;
      while (held - tail[0]!.length >= FOOTER_BYTES_MAX) held -= tail.shift()!.length;
    },
    rows() {
      const bytes = new Uint8Array(Buffer.concat(tail));
      return Number(parquetMetadata(bytes.buffer).num_rows);
    },
  };
}
