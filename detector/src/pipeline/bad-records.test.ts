import {
  encodeUsageRow,
  fingerprintOf,
  ROW_VERSION_HEADER,
  USAGE_COLUMNS,
  USAGE_ROW_VERSION,
  type BusRecord,
} from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEAD_LETTER_BYTES_MAX } from './dead-letter.ts';
import { NOON, usageEvent } from './testing/events.ts';
import { createMemoryLedger } from './testing/memory-ledger.ts';
import { deliver, PARTITIONS, recordOf, start, stored } from './testing/deliver.ts';

const MEBIBYTE = 1024 * 1024;

describe('bad records', () => {
  test('a broken line is dead-lettered with its bytes and reason; its neighbours are stored', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger);
    const good = (id: string) => encodeUsageRow(usageEvent({ id }));
    const wrongType = JSON.stringify([
      ...(JSON.parse(good('x')) as unknown[]).slice(0, 2),
      'noon',
      ...(JSON.parse(good('x')) as unknown[]).slice(3),
    ]);
    await deliver(
      harness,
      new Map([[0, [recordOf(0, 0, [good('a'), '{"half":', good('b'), '[1,2]', wrongType, good('c')])]]]),
    );
    expect(stored(ledger)).toEqual(['a', 'b', 'c']);
    expect(
      harness.deadLetters.map(({ recordIndex, bytes, reason }) => [recordIndex, Buffer.from(bytes).toString(), reason]),
    ).toEqual([
      [1, '{"half":', 'not JSON'],
      [3, '[1,2]', `has 2 columns, ${USAGE_COLUMNS.length} expected`],
      [4, wrongType, 'time: number expected, got string'],
    ]);
  });

  test('the reason of a dead letter never quotes what was sent', async () => {
    const harness = start(createMemoryLedger());
    const secret = `sk-ant-api03-${'x'.repeat(93)}AA`;
    const lines = [`{"key": ${secret}}`, JSON.stringify([secret]), `{"source": "${secret}"}`];
    const headers: Record<string, string>[] = [{ [ROW_VERSION_HEADER]: USAGE_ROW_VERSION }, {}];
    const records = headers.map((own, offset) => ({ ...recordOf(0, offset, lines), headers: own }));
    await deliver(harness, new Map([[0, records]]));
    expect(harness.deadLetters.length).toBeGreaterThan(0);
    for (const { reason } of harness.deadLetters) expect(reason).not.toContain('xxxx');
  });

  test('arbitrary bytes never stop the partition', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('1', '7', undefined),
        async (bytes, version) => {
          const ledger = createMemoryLedger();
          const harness = start(ledger);
          const headers: Record<string, string> = version === undefined ? {} : { [ROW_VERSION_HEADER]: version };
          const poison: BusRecord = {
            partition: 0,
            offset: 0,
            key: null,
            value: Buffer.from(bytes),
            headers,
            timestamp: NOON,
          };
          await deliver(
            harness,
            new Map([[0, [poison, recordOf(0, 1, [encodeUsageRow(usageEvent({ id: 'after' }))])]]]),
          );
          expect(stored(ledger)).toEqual(['after']);
        },
      ),
    );
  });

  test('garbage is handed on by its bytes: it does not wait for rows or records to fill a batch', async () => {
    const harness = start(createMemoryLedger(), { batchRowsMax: 100_000, flushIntervalMs: 3_600_000 });
    await harness.pipeline.onAssignment(PARTITIONS);
    const deliverGarbage = async (from: number, to: number) => {
      const records = Array.from({ length: to - from }, (_, index) =>
        recordOf(0, from + index, ['x'.repeat(MEBIBYTE)]),
      );
      await harness.pipeline.onBatch({ partition: 0, records, endOffset: 20 });
    };
    await deliverGarbage(0, 18);
    expect(harness.deadLetters).toEqual([]);
    await deliverGarbage(18, 19);
    expect(harness.deadLetters).toHaveLength(19);
    // What came is cut, so that a topic with Kafka's default limit takes it; its size is told.
    expect(harness.deadLetters[0]).toMatchObject({ originalBytes: MEBIBYTE });
    expect(harness.deadLetters[0]?.bytes).toHaveLength(DEAD_LETTER_BYTES_MAX);
    await harness.pipeline.close();
  });

  test('objects of other producers are taken beside positional rows', async () => {
    const ledger = createMemoryLedger();
    const harness = start(ledger);
    const objects = [
      {
        source: 's',
        id: 'one',
        time: '2026-11-20T11:59:00Z',
        credential: { fingerprint: fingerprintOf('k') },
        tokens: { output: 3 },
      },
      { source: 's', id: 'two', time: '2026-11-20T11:59:30Z', cost_usd: '0.000000001' },
    ];
    const value = Buffer.from(objects.map((object) => JSON.stringify(object)).join('\n'));
    await deliver(
      harness,
      new Map([[0, [{ partition: 0, offset: 0, key: null, value, headers: {}, timestamp: NOON }]]]),
    );
    expect(
      ledger.rows.map(({ id, tokens_output, cost_nano_usd, standing, received_at }) => [
        id,
        tokens_output,
        cost_nano_usd,
        standing,
        received_at,
      ]),
    ).toEqual([
      ['one', 3, 0, 'unknown', NOON],
      ['two', 0, 1, 'unattributed', NOON],
    ]);
  });
});
