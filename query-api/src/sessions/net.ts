import type { LedgerItem } from '../../contract/index.ts';

/**
 * Calls as they count: without corrections that take a report back, and without the report. Of a page alone: what is taken back on the page
 * after it still shows. Pure.
 */
export function netCalls(items: readonly LedgerItem[]): LedgerItem[] {
  const takenBack = new Set(
    items.flatMap(({ calls, joins }) => (calls < 0 ? [JSON.stringify((JSON.parse(joins) as unknown[])[0])] : [])),
  );
  return items.filter(({ calls, source, id }) => calls > 0 && !takenBack.has(JSON.stringify([source, id])));
}

/** The condition on `ledger` that leaves the same out, as SQL. @param where that of the session's rows */
export function netSql(database: string, where: string): string {
  return `ledger.calls > 0 AND (ledger.source, ledger.id) NOT IN (
    SELECT JSONExtractString(joins, 1, 1), JSONExtractString(joins, 1, 2) FROM ${database}.ledger AS ledger WHERE ${where} AND ledger.calls < 0)`;
}
