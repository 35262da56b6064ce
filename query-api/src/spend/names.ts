import { CREDENTIALS_BY_KEY } from '@lanewatch/detector/contract';
import type { SpendDimension } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { isRegistered, registeredSql } from './dimensions.ts';

/** More of them make no filter of the ledger. */
const IDS_MAX = 50;

/** What lanes are called: their key's name in the registry, else the newest hint of their events. Empty for other dimensions. */
export async function readLaneNames(
  store: ClickHouse,
  by: SpendDimension,
  lanes: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (by !== 'lane' || lanes.length === 0) return new Map();
  const rows = await store.rows<{ lane: string; name: string; hint: string }>(
    `SELECT toString(lane) AS lane, dictGet('${store.database}.${CREDENTIALS_BY_KEY}', 'name', toString(lane)) AS name,
       argMaxIf(hint, seen_at, hint != '') AS hint
     FROM ${store.database}.ledger WHERE lane IN {lanes:Array(String)} GROUP BY lane`,
    { lanes },
  );
  return new Map(rows.map(({ lane, name, hint }) => [lane, name === '' ? hint : name]));
}

/** Ids of the credentials behind projects, teams or owners, where they are few enough to filter by; null for other dimensions. */
export async function readCredentialIds(
  store: ClickHouse,
  by: SpendDimension,
  values: readonly string[],
): Promise<ReadonlyMap<string, string[]> | null> {
  if (!isRegistered(by)) return null;
  const rows = await store.rows<{ fact: string; ids: string[] }>(
    `SELECT fact, groupArray(id) AS ids FROM (${registeredSql(store.database, by)})
     WHERE fact != '' AND fact IN {values:Array(String)} GROUP BY fact HAVING count() <= ${IDS_MAX}`,
    { values },
  );
  return new Map(rows.map(({ fact, ids }) => [fact, ids]));
}
