import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { ColumnSource } from 'hyparquet-writer';
import type { ExportFormat } from '../../contract/index.ts';
import { canonicalJson } from '../audit/canonical-json.ts';
import type { Cell, Table } from './table.ts';

/** A table as the bytes of a file, a page in memory at a time. */
export function writeTable(table: Table, format: ExportFormat): AsyncIterable<Buffer> {
  if (format === 'parquet') return parquet(table);
  return format === 'csv' ? csv(table) : json(table);
}

async function* csv({ columns, pages }: Table): AsyncGenerator<Buffer> {
  // Names of columns leave with the first rows: what keeps these from being read is then a problem, and no cut file.
  let head = stringify([columns.map(({ name }) => name)]);
  for await (const rows of pages) {
    // A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    yield Buffer.from(head + stringify(rows, { escape_formulas: true }));
    head = '';
  }
  if (head !== '') yield Buffer.from(head);
}

async function* json({ columns, pages, objects }: Table): AsyncGenerator<Buffer> {
  for await (const rows of objects ?? objectsOf(columns, pages)) {
    yield Buffer.from(rows.map((row) => `${canonicalJson(row)}\n`).join(''));
  }
}

async function* objectsOf(columns: Table['columns'], pages: Table['pages']): AsyncGenerator<object[]> {
  for await (const rows of pages)
    yield rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
}

/** The library writes files; this one lies beside us only until it is sent. */
async function* parquet(table: Table): AsyncGenerator<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'lanewatch-export-'));
  try {
    const path = join(directory, 'table.parquet');
    await writeParquet(table, path);
    yield* createReadStream(path) as AsyncIterable<Buffer>;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const ROW_GROUP = 20_000;

async function writeParquet({ columns, pages }: Table, path: string): Promise<void> {
  const columnData = (rows: Cell[][]): ColumnSource[] =>
    columns.map(({ name, isNumber }, index) => ({
      ...{ name, type: isNumber ? 'INT32' : 'STRING', nullable: false },
      data: rows.map((row) => row[index]),
    }));
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: schemaFromColumnData({ columnData: columnData([]) }),
  });
  let held: Cell[][] = [];
  for await (const rows of pages) {
    held = held.concat(rows);
    if (held.length < ROW_GROUP) continue;
    await writer.write({ columnData: columnData(held) });
    held = [];
  }
  if (held.length > 0) await writer.write({ columnData: columnData(held) });
  await writer.finish();
}
