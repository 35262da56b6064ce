import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../deploy/testing/helpers.ts';
import { LedgerUnavailableError } from './ledger.ts';
import {
  insertRows,
  ledgerRows,
  openTestLedger,
  startMortalEngine,
  type MortalEngine,
  type TestLedger,
} from './testing.ts';

const KILLS = Number(process.env.LEDGER_KILLS ?? 5);
const PARTITIONS = [0, 1, 2];
const ROWS_PER_BATCH = 700;

/** What readers see of a lane's hour, from the rows or from the projection. */
const ROLL_UP = `SELECT lane, toStartOfHour(seen_at) AS hour, standing, kafka_partition, max(kafka_offset), count(), sum(cost_usd),
    sum(tokens_input_uncached), sum(tokens_cache_read), sum(tokens_output), uniq(session), uniq(user), uniq(ip), min(seen_at), max(seen_at)
  FROM {database}.ledger GROUP BY lane, hour, standing, kafka_partition ORDER BY lane, hour, standing, kafka_partition`;

describe(`the ledger after its engine was killed ${KILLS} times while it was written`, () => {
  let engine: MortalEngine;
  let test: TestLedger;
  const acknowledged = new Map(PARTITIONS.map((partition) => [partition, 0]));
  const total = () => [...acknowledged.values()].reduce((sum, rows) => sum + rows, 0);
  let retries = 0;
  let killing = true;

  /** One writer per partition, as detectors are: the same batch under the same token until it is acknowledged. */
  async function write(kafka_partition: number): Promise<void> {
    for (let offset = 0; killing; offset += ROWS_PER_BATCH) {
      const rows = ledgerRows(ROWS_PER_BATCH, offset, { kafka_partition });
      for (;;) {
        try {
          await insertRows(test.ledger, rows, `${kafka_partition}/${offset}`);
          break;
        } catch (error) {
          if (!(error instanceof LedgerUnavailableError)) throw error;
          retries++;
          await delay(20);
        }
      }
      acknowledged.set(kafka_partition, offset + ROWS_PER_BATCH);
    }
  }

  beforeAll(async () => {
    engine = await startMortalEngine();
    test = await openTestLedger(engine);
    await test.ledger.claim(PARTITIONS, 'first');
    const writers = Promise.all(PARTITIONS.map(write));
    const kill = async () => {
      for (let round = 0; round < KILLS; round++) {
        // Right after one writer's answer the others are somewhere in the middle of theirs.
        const progress = total() + (round + 2) * ROWS_PER_BATCH;
        await until(() => total() >= progress, 30_000, 'batches to be acknowledged');
        await engine.kill();
        await engine.restart();
      }
      killing = false;
    };
    await Promise.all([writers, kill()]);
  }, 60_000 * KILLS);
  afterAll(async () => {
    await test.close();
    await engine.stop();
  });

  it('was hit while writers were at work', () => {
    expect(retries).toBeGreaterThan(0);
    expect(Math.min(...acknowledged.values())).toBeGreaterThan(0);
  });

  it('holds every acknowledged row once and no other', async () => {
    const stored = await test.rows<[number, number, number, number]>(
      `SELECT kafka_partition, count(), uniqExact(kafka_offset), max(kafka_offset) + 1 FROM {database}.ledger
       GROUP BY kafka_partition ORDER BY kafka_partition SETTINGS optimize_use_projections = 0`,
    );
    expect(stored).toEqual(
      PARTITIONS.map((partition) => {
        const rows = acknowledged.get(partition);
        return [partition, rows, rows, rows];
      }),
    );
  });

  it('rolls up to the same from the projection as from the rows', async () => {
    const fromRows = await test.rows(`${ROLL_UP} SETTINGS optimize_use_projections = 0`);
    const fromProjection = await test.rows(`${ROLL_UP} SETTINGS force_optimize_projection = 1`);
    expect(fromProjection).toEqual(fromRows);
    expect(fromRows.length).toBeGreaterThan(0);
  });

  it('resumes after the last acknowledged row', async () => {
    expect(await test.ledger.resumeOffsets(PARTITIONS)).toEqual(acknowledged);
  });

  it('still knows who holds the partitions', async () => {
    const [row] = ledgerRows(1, acknowledged.get(0) ?? 0, { claimant: 'somebody else' });
    await expect(insertRows(test.ledger, [row!], 'foreign')).rejects.toThrow('another detector has claimed');
  });
});
