import { EVIDENCE_RUNS_MAX } from '../../contract/index.ts';
import type { Evidence, ExportReceipt } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { ledgerFilter } from '../ledger/filter.ts';
import type { LedgerFilters } from '../ledger/filter.ts';
import { instantOf } from '../ledger/window.ts';

interface RunJson {
  session: string;
  agent: string;
  user: string;
  first: number | string;
  last: number | string;
  calls: number | string;
  failed: number | string;
  runs_total: number | string;
  calls_total: number | string;
}

/**
 * Runs whose calls an export of the ledger has, by their first call: as many as evidence names, and how many there are. Calls without a
 * session are counted apart; a run whose every report was taken back is none.
 */
export async function readRuns(
  store: ClickHouse,
  receipt: ExportReceipt,
): Promise<Pick<Evidence, 'runs' | 'runs_total' | 'calls' | 'calls_without_run'>> {
  // The receipt's filters were a ledger query's when the export was asked for; its bounds are those that were used.
  const { where, parameters } = ledgerFilter({ ...(receipt.filters as LedgerFilters), to: receipt.to });
  const rows = await store.rows<RunJson>(
    `SELECT session, agent, user, first, last, calls, failed,
        countIf(session != '') OVER () AS runs_total, sum(calls) OVER () AS calls_total
     FROM (SELECT ledger.session AS session, argMin(ledger.agent, ledger.seen_at) AS agent, argMin(ledger.user, ledger.seen_at) AS user,
         toUnixTimestamp64Milli(min(ledger.seen_at)) AS first, toUnixTimestamp64Milli(max(ledger.seen_at)) AS last,
         sum(ledger.calls) AS calls, sumIf(ledger.calls, ledger.outcome NOT IN ('success', '')) AS failed
       FROM ${store.database}.ledger AS ledger WHERE ${where} GROUP BY ledger.session HAVING calls > 0)
     ORDER BY session = '' DESC, first, session LIMIT ${EVIDENCE_RUNS_MAX + 1}`,
    parameters,
  );
  const without = rows.find(({ session }) => session === '');
  const runs = rows.filter(({ session }) => session !== '').slice(0, EVIDENCE_RUNS_MAX);
  return {
    runs: runs.map(({ session, agent, user, first, last, calls, failed }) => ({
      ...{ session, agent, user, first_seen: instantOf(Number(first)), last_seen: instantOf(Number(last)) },
      ...{ calls: Number(calls), failed: Number(failed) },
    })),
    runs_total: Number(rows[0]?.runs_total ?? 0),
    calls: Number(rows[0]?.calls_total ?? 0),
    calls_without_run: Number(without?.calls ?? 0),
  };
}
