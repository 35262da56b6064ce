import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../deploy/testing/helpers.ts';
import { LedgerUnavailableError } from './ledger.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import {
  insertRows,
  ledgerRows,
  openTestLedger,
  startMortalEngine,
  type MortalEngine,
  type TestLedger,
} from './testing.ts';

/** LEDGER_KILLS=1000 makes a night of it. */
const KILLS = Number(process.env.LEDGER_KILLS ?? 5);
const BATCHES_BETWEEN_MAX = 5;
/** For a machine that does much else. */
const ACKNOWLEDGED_DEADLINE_MS = 120_000;
const PARTITIONS = [0, 1, 2];
const ROWS_PER_BATCH = 700;

const KEYS = 'lane, standing, credential_id, kafka_partition';
/** What readers see of a lane's day, from the rows; and from the roll-up's own states, whichever would be less to read. */
const FROM_ROWS = `SELECT toDate(seen_at), ${KEYS}, max(kafka_offset), sum(calls), sum(cost_usd), sum(tokens_output),
    uniqExactIf(session, session != ''), min(seen_at)
  FROM {database}.ledger GROUP BY ALL ORDER BY ALL SETTINGS optimize_use_projections = 0`;
const FROM_ROLL_UP = `SELECT \`toDate(seen_at)\`, ${KEYS}, maxMerge(\`max(kafka_offset)\`), sumMerge(\`sum(calls)\`),
    sumMerge(\`sum(cost_usd)\`), sumMerge(\`sum(tokens_output)\`),
    uniqExactIfMerge(\`uniqExactIf(session, notEquals(session, ''))\`), minMerge(\`min(seen_at)\`)
  FROM mergeTreeProjection('{database}', 'ledger', 'calls_by_day_and_lane') GROUP BY ALL ORDER BY ALL`;

describe('a batch whose part is gone while the engine has noted it as stored', () => {
  let engine: MortalEngine;
  let test: TestLedger;
  beforeAll(async () => {
    engine = await startMortalEngine();
    test = await openTestLedger(engine);
  });
  afterAll(async () => {
    // The engine's directory goes as a whole: after a thousand kills, dropping the database takes longer than a connection waits.
    await test.disconnect();
    await engine.stop();
  });

  it('is stored by the retry, where one under the same token would be dropped with a 200', async () => {
    const count = async () => (await test.rows<[number]>('SELECT count() FROM {database}.ledger'))[0]?.[0];
    // As ledgers were set up when batches went by tokens; killed between its log of tokens and the rename, the engine was left like this.
    await test.client.command({
      query: `ALTER TABLE ${test.database}.ledger MODIFY SETTING non_replicated_deduplication_window = 1000`,
    });
    const own = createOwnership(test.ledger, [0], 'writer');
    const { signal } = new AbortController();
    await own.claim(signal);
    const rows = (claimant: string) => ledgerRows(ROWS_PER_BATCH, 0, { claimant });
    const underToken = (claimant: string) =>
      test.client.command({
        query: `INSERT INTO ${test.database}.ledger (id, kafka_offset, claimant)
                SELECT toString(number), number, '${claimant}' FROM numbers(${ROWS_PER_BATCH})`,
        clickhouse_settings: { insert_deduplicate: 1, insert_deduplication_token: 'batch' },
      });
    let first = '';
    const killed = own.write(new Map([[0, ROWS_PER_BATCH]]), signal, async (claimant) => {
      first = claimant;
      await underToken(claimant);
      const [part] = await test.rows<[string]>(
        `SELECT path FROM system.parts WHERE database = '{database}' AND table = 'ledger' AND active`,
      );
      await engine.kill();
      await rm(part![0], { recursive: true });
      await engine.restart();
      throw new LedgerUnavailableError('killed');
    });
    await expect(killed).rejects.toThrow('killed');
    await underToken(first);
    expect(await count()).toBe(0);
    await own.write(new Map([[0, ROWS_PER_BATCH]]), signal, (claimant) => insertRows(test.ledger, rows(claimant)));
    expect(await count()).toBe(ROWS_PER_BATCH);
  });
});

describe(`the ledger after its engine was killed ${KILLS} times while it was written`, () => {
  let engine: MortalEngine;
  let test: TestLedger;
  const acknowledged = new Map(PARTITIONS.map((partition) => [partition, 0]));
  const total = () => [...acknowledged.values()].reduce((sum, rows) => sum + rows, 0);
  const { signal } = new AbortController();
  let retries = 0;
  let killing = true;

  /** One writer per partition, as detectors are: what an attempt without an answer did is asked behind a new claim. */
  async function write(kafka_partition: number, own: Ownership): Promise<void> {
    for (let offset = 0; killing; offset += ROWS_PER_BATCH) {
      const ends = new Map([[kafka_partition, offset + ROWS_PER_BATCH]]);
      for (;;) {
        try {
          await own.write(ends, signal, (claimant) =>
            insertRows(test.ledger, ledgerRows(ROWS_PER_BATCH, offset, { kafka_partition, claimant })),
          );
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
    const owners = PARTITIONS.map((partition) => createOwnership(test.ledger, [partition], `writer-${partition}`));
    for (const own of owners) await own.claim(signal);
    const writers = Promise.all(PARTITIONS.map((partition, index) => write(partition, owners[index]!)));
    const kill = async () => {
      for (let round = 0; round < KILLS; round++) {
        // Right after one writer's answer the others are somewhere in the middle of theirs; after which one differs from round to round.
        const progress = total() + (1 + (round % BATCHES_BETWEEN_MAX)) * ROWS_PER_BATCH;
        await until(
          () => total() >= progress,
          ACKNOWLEDGED_DEADLINE_MS,
          `batches to be acknowledged after ${round} kills`,
        );
        await engine.kill();
        await engine.restart();
      }
      killing = false;
    };
    await Promise.all([writers, kill()]);
  }, 180_000 * KILLS);
  afterAll(async () => {
    await test.disconnect();
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
    const fromRows = await test.rows(FROM_ROWS);
    const fromProjection = await test.rows(FROM_ROLL_UP);
    expect(fromProjection).toEqual(fromRows);
    expect(fromRows.length).toBeGreaterThan(0);
  });

  it('resumes after the last acknowledged row', async () => {
    expect(await test.ledger.resumeOffsets(PARTITIONS)).toEqual(acknowledged);
  });

  it('still knows who holds the partitions', async () => {
    const [row] = ledgerRows(1, acknowledged.get(0) ?? 0, { claimant: 'somebody else' });
    await expect(insertRows(test.ledger, [row!])).rejects.toThrow('another detector has claimed');
  });
});
