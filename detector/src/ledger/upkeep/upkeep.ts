import type { ClickHouseClient } from '@clickhouse/client';
import { LEDGER_TABLE } from '../../../contract/index.ts';
import { dropUnusedRollUps } from './unused-roll-ups.ts';

/** Roll-ups that parts from before their migrations lack. */
const ROLL_UPS = [
  'calls_by_day_and_lane',
  'spend_by_day_and_person',
  'spend_by_day_and_repository',
  'spend_by_day_and_model',
] as const;
/** The work's name in the table `upkeep`. */
const TASK = ROLL_UPS[0];
const POLL_MS = 1_000;
const RETRY_MS = 30_000;

export interface Upkeep {
  /** Resolves when nothing is left to do, or it was closed. */
  finished: Promise<void>;
  /** Stops looking; what the engine is doing it goes on doing, and the next start takes it up from there. */
  close(): void;
}

export interface UpkeepOptions {
  client: ClickHouseClient;
  database: string;
  /** Rejects when the signal fires. */
  wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Hears how many rows of all have the roll-ups, whenever that has changed. */
  onProgress: (rowsDone: number, rowsTotal: number) => void;
  onFault: (error: unknown) => void;
}

interface Partition {
  id: string;
  rows: number;
  rowsDone: number;
}

/**
 * Builds roll-ups and filters in parts that were written before their migrations, partition by partition and the newest first, beside
 * everything else: queries read rows where a part lacks them. How far it is stands in the table `upkeep`, for pages. A restart, of this process
 * or the engine, loses nothing: what is left is asked of the parts themselves. Several detectors may do it at once.
 */
export function startUpkeep(options: UpkeepOptions): Upkeep {
  const { client, database, onFault } = options;
  const closing = new AbortController();
  const { signal } = closing;
  let startedMs: number | null = null;
  let told = -1;

  async function rowsOf<Row>(query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> {
    const answer = await client.query({
      query,
      query_params: { database, table: LEDGER_TABLE, ...query_params },
      format: 'JSONCompactEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    });
    return answer.json<Row>();
  }

  async function partitions(): Promise<Partition[]> {
    const rows = await rowsOf<[string, number, number]>(
      `SELECT partition_id, sum(rows), sumIf(rows, hasAll(projections, ['${ROLL_UPS.join("', '")}'])) FROM system.parts
       WHERE database = {database:String} AND table = {table:String} AND active
       GROUP BY partition_id ORDER BY partition_id DESC`,
    );
    return rows.map(([id, count, done]) => ({ id, rows: count, rowsDone: done }));
  }

  async function isUnderWay(id: string): Promise<boolean> {
    const [[count] = [0]] = await rowsOf<[number]>(
      `SELECT count() FROM system.mutations WHERE database = {database:String} AND table = {table:String} AND NOT is_done
         AND position(command, {partition:String}) > 0 AND position(command, 'MATERIALIZE') > 0`,
      { partition: `'${id}'` },
    );
    return count > 0;
  }

  async function filters(): Promise<string[]> {
    const rows = await rowsOf<[string]>(
      `SELECT name FROM system.data_skipping_indices
       WHERE database = {database:String} AND table = {table:String} AND type = 'bloom_filter'`,
    );
    return rows.map(([name]) => name);
  }

  /** One mutation for all of it, because each writes the partition's parts anew. */
  async function build(id: string): Promise<void> {
    const where = `IN PARTITION ID '${id}'`;
    const steps = [
      ...ROLL_UPS.map((name) => `MATERIALIZE PROJECTION ${name} ${where}`),
      ...(await filters()).map((name) => `MATERIALIZE INDEX ${name} ${where}`),
    ];
    await client.command({
      query: `ALTER TABLE ${database}.${LEDGER_TABLE} ${steps.join(', ')}`,
      clickhouse_settings: { mutations_sync: '0' },
    });
  }

  async function note(all: Partition[], isFinished: boolean): Promise<void> {
    const total = all.reduce((sum, { rows }) => sum + rows, 0);
    const done = all.reduce((sum, { rowsDone }) => sum + rowsDone, 0);
    if (done === told && !isFinished) return;
    told = done;
    startedMs ??= await startedBefore();
    await client.command({
      query: `INSERT INTO ${database}.upkeep SELECT '${TASK}', {total:UInt64}, {done:UInt64},
                fromUnixTimestamp64Milli({started:Int64}, 'UTC'), now64(3, 'UTC'), ${isFinished ? "now64(3, 'UTC')" : 'NULL'}`,
      query_params: { total, done, started: startedMs },
    });
    options.onProgress(done, total);
  }

  /** When it began, which may have been before a restart; epoch milliseconds. */
  async function startedBefore(): Promise<number> {
    const [row] = await rowsOf<[number]>(
      `SELECT toUnixTimestamp64Milli(started_at) FROM ${database}.upkeep FINAL
       WHERE task = '${TASK}' AND finished_at IS NULL`,
    );
    return row?.[0] ?? Date.now();
  }

  /** Builds what is missing now. True when nothing was. */
  async function round(): Promise<boolean> {
    const all = await partitions();
    const next = all.find(({ rows, rowsDone }) => rowsDone < rows);
    if (next === undefined) {
      if (startedMs !== null) await note(all, true);
      return true;
    }
    await note(all, false);
    if (!(await isUnderWay(next.id))) await build(next.id);
    do await options.wait(POLL_MS, signal);
    while (await isUnderWay(next.id));
    return false;
  }

  async function run(): Promise<void> {
    for (let isDone = false; !isDone && !signal.aborted;) {
      try {
        isDone = await round();
        if (isDone) await dropUnusedRollUps(client, database);
      } catch (error) {
        if (signal.aborted) return;
        isDone = false;
        onFault(error);
        await options.wait(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  return { finished: run(), close: () => closing.abort() };
}
