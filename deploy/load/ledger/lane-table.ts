import type { ClickHouseClient } from '@clickhouse/client';
import { partitionForKey, USAGE_PARTITIONS_DEFAULT } from '@lanewatch/ingest/contract';
import { PRICED_MODELS } from '../prices.ts';
import type { GeneratedLane } from './lanes.ts';
import { LANE_ATTRIBUTES } from './rows.ts';

/** A database beside the ledger's, there only while rows are made. */
const SCRATCH = 'lanewatch_load';
const LANES_PER_INSERT = 5_000;

/** Brings the lanes to where the statements that make rows look them up. */
export async function withLaneDictionary<Result>(
  client: ClickHouseClient,
  lanes: Iterable<GeneratedLane>,
  credentialIds: ReadonlyMap<number, string>,
  work: (dictionary: string) => Promise<Result>,
): Promise<Result> {
  const columns = LANE_ATTRIBUTES.map(([name, type]) => `${name} ${type}`).join(', ');
  const attributes = LANE_ATTRIBUTES.map(([name, type]) => `${name} ${type} DEFAULT ${type === 'String' ? "''" : '0'}`);
  await client.command({ query: `DROP DATABASE IF EXISTS ${SCRATCH} SYNC` });
  await client.command({ query: `CREATE DATABASE ${SCRATCH}` });
  try {
    await client.command({
      query: `CREATE TABLE ${SCRATCH}.lanes (lane_index UInt64, ${columns}) ENGINE = MergeTree ORDER BY lane_index`,
    });
    let rows: object[] = [];
    const flush = async () => {
      if (rows.length > 0) await client.insert({ table: `${SCRATCH}.lanes`, values: rows, format: 'JSONEachRow' });
      rows = [];
    };
    for (const lane of lanes) {
      rows.push(rowOf(lane, credentialIds.get(lane.index) ?? ''));
      if (rows.length === LANES_PER_INSERT) await flush();
    }
    await flush();
    await client.command({
      query: `CREATE DICTIONARY ${SCRATCH}.lanes_by_index (lane_index UInt64, ${attributes.join(', ')})
        PRIMARY KEY lane_index SOURCE(CLICKHOUSE(TABLE 'lanes' DB '${SCRATCH}')) LAYOUT(HASHED_ARRAY()) LIFETIME(0)`,
    });
    return await work(`${SCRATCH}.lanes_by_index`);
  } finally {
    await client.command({ query: `DROP DATABASE IF EXISTS ${SCRATCH} SYNC` });
  }
}

function rowOf(lane: GeneratedLane, credentialId: string): object {
  const { index, models, sharedFinding, ...rest } = lane;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => name !== 'registeredFingerprint')),
    lane_index: index,
    model_a: PRICED_MODELS.indexOf(models[0]),
    model_b: PRICED_MODELS.indexOf(models[1]),
    shared_finding: sharedFinding,
    credential_id: credentialId,
    partition: partitionForKey(lane.lane, USAGE_PARTITIONS_DEFAULT),
  };
}
