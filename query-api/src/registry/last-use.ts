import { laneOf } from '@lanewatch/ingest/contract';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { CollectorTotals } from '../overview/collectors.ts';
import type { CredentialRow, LastUse } from './record.ts';

/** Values per request, so that their names fit into it. */
const VALUES_PER_REQUEST = 100;

/**
 * When each credential was used last: on its lanes, on rows of other lanes that matched it when they were written, and as a
 * collector. A ledger that does not answer leaves that open instead of failing: the registry lives without it, and is needed most
 * during an incident. Rows of other lanes are looked for in the whole ledger, which may be too large for that; uses on its own lanes
 * are told all the same.
 * @param onFault hears what the ledger did not answer
 */
export async function readLastUses(
  parts: { store: ClickHouse; collectors: CollectorTotals; onFault: (error: unknown) => void },
  rows: CredentialRow[],
): Promise<(id: string) => LastUse> {
  const { store, collectors, onFault } = parts;
  const idsByLane = new Map<string, string[]>();
  for (const { id, fingerprint, hint, org } of rows) {
    const lanes = [fingerprint, hint !== '' && org !== '' && fingerprint === '' ? laneOf('', hint, org) : ''];
    for (const lane of lanes) if (lane !== '') idsByLane.set(lane, [...(idsByLane.get(lane) ?? []), id]);
  }
  const matchedByHint = rows.filter(({ hint, org }) => hint !== '' && org !== '').map(({ id }) => id);
  const orUnavailable = (reading: Promise<Latest[]>): Promise<Latest[] | null> =>
    reading.catch((error: unknown) => {
      onFault(error);
      return null;
    });
  const [byLane, byId] = await Promise.all([
    orUnavailable(readLatest(store, 'lane', [...idsByLane.keys()])),
    orUnavailable(readLatest(store, 'credential_id', matchedByHint)),
  ]);
  const lastUsed = new Map<string, number>();
  const note = (id: string, atMs: number): void => {
    if (atMs > (lastUsed.get(id) ?? 0)) lastUsed.set(id, atMs);
  };
  for (const { value, last } of byLane ?? []) for (const id of idsByLane.get(value) ?? []) note(id, Number(last));
  for (const { value, last } of byId ?? []) note(value, Number(last));
  const totals = collectors.byCollector();
  for (const { id } of rows) note(id, totals.get(id)?.lastReceivedMs ?? 0);
  // Without an answer nothing found does not mean never.
  const openIds = new Set(byId === null ? matchedByHint : []);
  return (id) => (byLane === null ? 'unavailable' : (lastUsed.get(id) ?? (openIds.has(id) ? 'unavailable' : null)));
}

interface Latest {
  value: string;
  last: number | string;
}

async function readLatest(store: ClickHouse, column: 'lane' | 'credential_id', values: string[]): Promise<Latest[]> {
  const chunks = Array.from({ length: Math.ceil(values.length / VALUES_PER_REQUEST) }, (_, index) =>
    values.slice(index * VALUES_PER_REQUEST, (index + 1) * VALUES_PER_REQUEST),
  );
  const answers = await Promise.all(
    chunks.map((chunk) =>
      store.rows<Latest>(
        `SELECT ${column} AS value, toUnixTimestamp64Milli(max(seen_at)) AS last FROM ${store.database}.ledger
         WHERE has({values:Array(String)}, ${column}) GROUP BY ${column}`,
        { values: chunk },
        BRIEFLY,
      ),
    ),
  );
  return answers.flat();
}
