import { laneOf } from '@lanewatch/ingest/contract';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { CollectorTotals } from '../overview/collectors.ts';
import type { CredentialRow, LastUse } from './record.ts';

/** Values per request, so that their names fit into it. */
const VALUES_PER_REQUEST = 100;

/**
 * When each credential was used last. A ledger that does not answer leaves that open instead of failing: the registry lives
 * without it, and is needed most during an incident.
 * @param onFault hears why the ledger did not answer
 */
export async function readLastUses(
  parts: { store: ClickHouse; collectors: CollectorTotals; onFault: (error: unknown) => void },
  rows: CredentialRow[],
): Promise<(id: string) => LastUse> {
  try {
    const lastUsed = await readLastUsed(parts.store, parts.collectors, rows);
    return (id) => lastUsed.get(id) ?? null;
  } catch (error) {
    parts.onFault(error);
    return () => 'unavailable';
  }
}

/**
 * When each credential was seen last, epoch milliseconds: on its lanes, on rows that matched it when they were written,
 * and as a collector. Credentials never seen are absent.
 */
async function readLastUsed(
  store: ClickHouse,
  collectors: CollectorTotals,
  rows: CredentialRow[],
): Promise<Map<string, number>> {
  const lastUsed = new Map<string, number>();
  if (rows.length === 0) return lastUsed;
  const note = (id: string, atMs: number): void => {
    if (atMs > (lastUsed.get(id) ?? 0)) lastUsed.set(id, atMs);
  };
  const idsByLane = new Map<string, string[]>();
  for (const { id, fingerprint, hint, org } of rows) {
    const lanes = [fingerprint, hint !== '' && org !== '' && fingerprint === '' ? laneOf('', hint, org) : ''];
    for (const lane of lanes) if (lane !== '') idsByLane.set(lane, [...(idsByLane.get(lane) ?? []), id]);
  }
  const matchedByHint = rows.filter(({ hint, org }) => hint !== '' && org !== '').map(({ id }) => id);
  const [byLane, byId] = await Promise.all([
    readLatest(store, 'lane', [...idsByLane.keys()]),
    readLatest(store, 'credential_id', matchedByHint),
  ]);
  for (const { value, last } of byLane) for (const id of idsByLane.get(value) ?? []) note(id, Number(last));
  for (const { value, last } of byId) note(value, Number(last));
  const totals = collectors.byCollector();
  for (const { id } of rows) note(id, totals.get(id)?.lastReceivedMs ?? 0);
  return lastUsed;
}

async function readLatest(
  store: ClickHouse,
  column: 'lane' | 'credential_id',
  values: string[],
): Promise<{ value: string; last: number | string }[]> {
  const chunks = Array.from({ length: Math.ceil(values.length / VALUES_PER_REQUEST) }, (_, index) =>
    values.slice(index * VALUES_PER_REQUEST, (index + 1) * VALUES_PER_REQUEST),
  );
  const answers = await Promise.all(
    chunks.map((chunk) =>
      store.rows<{ value: string; last: number | string }>(
        `SELECT ${column} AS value, toUnixTimestamp64Milli(max(seen_at)) AS last FROM ${store.database}.ledger
         WHERE has({values:Array(String)}, ${column}) GROUP BY ${column}`,
        { values: chunk },
        BRIEFLY,
      ),
    ),
  );
  return answers.flat();
}
