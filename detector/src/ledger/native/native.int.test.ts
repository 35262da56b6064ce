import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { uniqueName } from '../../../../deploy/testing/helpers.ts';
import { connect } from '../clickhouse.ts';
import { startTestEngine, type TestEngine } from '../testing.ts';
import { writeBlock, type BlockColumn } from './block.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { LabelsColumn, StringColumn, UInt64Column, UIntColumn } from './columns.ts';
import { LowCardinalityColumn } from './low-cardinality.ts';

interface Row {
  position: number;
  text: string;
  label: string;
  small: number;
  middle: number;
  large: number;
  instant: number;
  money: number;
  hashLow: number;
  hashHigh: number;
  labels: string[];
}

const columns = {
  position: new UIntColumn(32),
  text: new StringColumn(new ByteBuffer(1)),
  label: new LowCardinalityColumn(),
  small: new UIntColumn(16),
  middle: new UIntColumn(32),
  large: new UInt64Column(),
  instant: new UInt64Column(),
  money: new UInt64Column(),
  hash: new UInt64Column(),
  labels: new LabelsColumn(),
};

const COLUMNS: BlockColumn[] = [
  { name: 'position', type: 'UInt32', column: columns.position },
  { name: 'text', type: 'String', column: columns.text },
  { name: 'label', type: 'LowCardinality(String)', column: columns.label },
  { name: 'small', type: 'UInt16', column: columns.small },
  { name: 'middle', type: 'UInt32', column: columns.middle },
  { name: 'large', type: 'UInt64', column: columns.large },
  { name: 'instant', type: "DateTime64(3, 'UTC')", column: columns.instant },
  { name: 'money', type: 'Decimal(18, 9)', column: columns.money },
  { name: 'hash', type: 'UInt64', column: columns.hash },
  { name: 'labels', type: 'Array(LowCardinality(String))', column: columns.labels },
];
const out = new ByteBuffer(1);

/** Columns and buffer are the same for every block, as they are in production: nothing of the block before may be left. */
function encode(rows: readonly Row[]): Buffer {
  for (const { column } of COLUMNS) column.start();
  for (const row of rows) {
    columns.position.add(row.position);
    columns.text.add(row.text);
    columns.label.add(row.label);
    columns.small.add(row.small);
    columns.middle.add(row.middle);
    columns.large.add(row.large);
    columns.instant.add(row.instant);
    columns.money.add(row.money);
    columns.hash.addHalves(row.hashLow, row.hashHigh);
    columns.labels.add(row.labels);
  }
  out.start();
  writeBlock(out, COLUMNS, rows.length);
  return out.content();
}

/** What ClickHouse says the row is, in types that lose nothing. */
function asRead(row: Row): unknown[] {
  return [
    row.text.toWellFormed(),
    row.label.toWellFormed(),
    row.small,
    row.middle,
    String(row.large),
    String(row.instant),
    String(row.money),
    String((BigInt(row.hashHigh) << 32n) + BigInt(row.hashLow)),
    row.labels.map((label) => label.toWellFormed()),
  ];
}

const READ = `text, label, small, middle, toString(large), toString(toUnixTimestamp64Milli(instant)),
  toString(toInt64(toDecimal128(money, 9) * 1000000000)), toString(hash), labels`;

const PLAIN: Row = {
  position: 0,
  text: '',
  label: '',
  small: 0,
  middle: 0,
  large: 0,
  instant: 0,
  money: 0,
  hashLow: 0,
  hashHigh: 0,
  labels: [],
};

describe('a Native block, read back by the engine', () => {
  let engine: TestEngine;
  let client: ClickHouseClient;
  const table = uniqueName('native_test');

  beforeAll(async () => {
    engine = await startTestEngine();
    client = connect(engine, 60_000);
    const declared = COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ');
    await client.command({ query: `CREATE DATABASE ${table}` });
    await client.command({ query: `CREATE TABLE ${table}.block (${declared}) ENGINE = Memory` });
  });
  afterAll(async () => {
    await client.command({ query: `DROP DATABASE ${table} SYNC` });
    await client.close();
    await engine.stop();
  });
  beforeEach(() => client.command({ query: `TRUNCATE TABLE ${table}.block` }));

  async function write(rows: Row[]): Promise<void> {
    const { stream } = await client.exec({
      query: `INSERT INTO ${table}.block FORMAT Native`,
      values: Readable.from([encode(rows)], { objectMode: false }),
    });
    await stream.resume().toArray();
  }

  async function readBack(rows: Row[]): Promise<unknown[][]> {
    await client.command({ query: `TRUNCATE TABLE ${table}.block` });
    await write(rows.map((row, position) => ({ ...row, position })));
    const answer = await client.query({
      query: `SELECT ${READ} FROM ${table}.block ORDER BY position`,
      format: 'JSONCompactEachRow',
    });
    return answer.json<unknown[]>();
  }

  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '',
      '\0',
      'a\0b',
      '\u{10FFFF}',
      'é',
      '€uro',
      '\ud800',
      'line\nbreak\t\\"\'',
      'x'.repeat(127),
      'ü'.repeat(64),
    ),
    fc.string({ unit: 'grapheme', minLength: 90, maxLength: 400 }),
  );
  const label = fc.oneof(text, fc.constantFrom('', 'production', 'staging'));
  const uint32 = fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  );
  const row: fc.Arbitrary<Row> = fc.record({
    position: fc.constant(0),
    text,
    label,
    small: fc.integer({ min: 0, max: 0xffff }),
    middle: uint32,
    large: fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER)),
    instant: fc.integer({ min: 0, max: Date.UTC(2299, 11, 31, 23, 59, 59, 999) }),
    money: fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 9_000_000_000_000_000)),
    hashLow: uint32,
    hashHigh: uint32,
    labels: fc.array(label, { maxLength: 5 }),
  });

  it('holds what was written, for every type and any value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 40 }), async (rows) => {
        expect(await readBack(rows)).toEqual(rows.map(asRead));
      }),
      { numRuns: 60 },
    );
  });

  it('of no rows is taken and adds none', async () => {
    expect(await readBack([])).toEqual([]);
  });

  it('of one plain row holds zeros, empty texts and an empty array', async () => {
    expect(await readBack([PLAIN])).toEqual([asRead(PLAIN)]);
  });

  it('holds arrays when every single one is empty', async () => {
    expect(await readBack([PLAIN, PLAIN, PLAIN])).toEqual([asRead(PLAIN), asRead(PLAIN), asRead(PLAIN)]);
  });

  it('holds the largest values of every number', async () => {
    const largest: Row = {
      ...PLAIN,
      small: 0xffff,
      middle: 0xffff_ffff,
      large: Number.MAX_SAFE_INTEGER,
      instant: Date.UTC(2299, 11, 31, 23, 59, 59, 999),
      money: 9_000_000_000_000_000,
      hashLow: 0xffff_ffff,
      hashHigh: 0xffff_ffff,
    };
    expect(await readBack([largest])).toEqual([asRead(largest)]);
  });

  it('holds a text of a megabyte', async () => {
    const long: Row = { ...PLAIN, text: 'ä'.repeat(500_000), label: 'a'.repeat(1_000_000) };
    expect(await readBack([long])).toEqual([asRead(long)]);
  });

  it.each([255, 256, 257, 65_535, 65_536, 65_537])(
    'keeps %i labels apart, across the widths of dictionary indexes',
    async (count) => {
      const rows = Array.from({ length: count }, (_, index) => ({
        ...PLAIN,
        position: index,
        label: `label ${index}`,
        labels: [`element ${index}`, 'same'],
      }));
      await write(rows);
      const answer = await client.query({
        query: `SELECT count(), countIf(label = concat('label ', toString(position))),
                       countIf(labels = [concat('element ', toString(position)), 'same']) FROM ${table}.block`,
        format: 'JSONCompactEachRow',
      });
      expect((await answer.json<string[]>()).map((counts) => counts.map(Number))).toEqual([[count, count, count]]);
    },
  );

  it('does not remember the block before', async () => {
    await readBack([{ ...PLAIN, text: 'long '.repeat(1000), label: 'first', labels: ['first'] }]);
    const second = { ...PLAIN, text: 'b', label: 'second', labels: ['second', 'third'] };
    expect(await readBack([second])).toEqual([asRead(second)]);
  });
});
