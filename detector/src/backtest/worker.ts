import { parentPort, workerData } from 'node:worker_threads';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { BacktestRequest, BacktestResult } from '../../contract/index.ts';
import { connect, type ClickHouseEndpoint } from '../ledger/clickhouse.ts';
import { openPlaces } from '../networks/places.ts';
import type { RuleOverrides } from '../rules/parameters.ts';
import { runBacktest } from './run-backtest.ts';

/*
 * A backtest in a thread of its own, so that events wait for none of it. Whoever started it ends it when it is cancelled; the connection
 * that breaks ends the read.
 */

/** What the thread is started with. */
export interface BacktestTask {
  request: BacktestRequest;
  endpoint: ClickHouseEndpoint;
  database: string;
  records: CredentialRecord[];
  overrides: RuleOverrides;
  geoFile: string;
  asnFile: string;
  lanesMax: number;
  valuesPerLane: number;
}

/** What it tells. */
export type BacktestNews =
  | { kind: 'progress'; rowsDone: number; rowsTotal: number }
  | { kind: 'done'; result: BacktestResult }
  | { kind: 'failed'; problem: string };

/** An engine that says nothing for so long is sorting a week of a large ledger, at worst. */
const SILENCE_MS = 300_000;

const task = workerData as BacktestTask;
const tell = (news: BacktestNews) => parentPort!.postMessage(news);
const client = connect(task.endpoint, SILENCE_MS);
try {
  const result = await runBacktest({
    ...task,
    client,
    places: openPlaces(task),
    signal: new AbortController().signal,
    onProgress: (rowsDone, rowsTotal) => tell({ kind: 'progress', rowsDone, rowsTotal }),
  });
  tell({ kind: 'done', result });
} catch (error) {
  tell({ kind: 'failed', problem: error instanceof Error ? error.message : String(error) });
} finally {
  await client.close();
}
