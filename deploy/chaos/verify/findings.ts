import type { ClickHouseClient } from '@clickhouse/client';
import type { BusRecord } from '@lanewatch/ingest/contract';
import type { Finding } from '@lanewatch/detector/contract';
import { readFindings } from '../../../detector/src/ledger/findings-table.ts';
import { DATABASE } from '../system/engine.ts';
import { isCompared, isCounted } from './compared.ts';
import { createCheck, type CheckResult } from './check.ts';

/** What must be the same in the table and in the reference: all of it. Both make the object in the same order. */
function summaryOf(finding: Finding): string {
  return JSON.stringify(finding);
}

/** Whether it gathers what came beyond an hour's allowance: a job makes it of the rows, at times of its own. */
const isGrouped = ({ facts }: Finding): boolean => facts['grouped'] === true;

/**
 * Holds the findings of the table against the rows that carry them ({@link isCounted}), and those that must be the same ({@link isCompared}) against
 * the reference and the findings topic.
 */
export async function checkFindings(
  client: ClickHouseClient,
  undisturbed: ReadonlyMap<string, Finding>,
  topic: ReadonlyMap<number, BusRecord[]>,
): Promise<CheckResult[]> {
  const reference = new Map([...undisturbed].filter(([id]) => isCompared(id)));
  const ids = (await columnOf(client, `SELECT id FROM ${DATABASE}.findings FINAL ORDER BY id`)).filter(isCounted);
  const all = await readFindings(client, DATABASE, ids);
  const stored = new Map(all.filter((finding) => !isGrouped(finding)).map((finding) => [finding.id, finding]));
  const published = publishedFindings(topic);

  const equal = createCheck('findings equal those of an undisturbed run');
  const counted = createCheck('findings count exactly the rows that carry them');
  const told = createCheck('every finding was published, and none beyond what it became');
  for (const [id, expected] of reference) {
    const actual = stored.get(id);
    if (actual === undefined) equal.fail(`${id} is missing: expected ${summaryOf(expected)}`);
    else if (summaryOf(actual) !== summaryOf(expected))
      equal.fail(`${id}: expected ${summaryOf(expected)}, got ${summaryOf(actual)}`);
  }
  for (const id of stored.keys()) if (isCompared(id) && !reference.has(id)) equal.fail(`${id} should not be there`);

  const rows = await client.query({
    query: `SELECT arrayJoin(findings) AS id, count() FROM ${DATABASE}.ledger GROUP BY id`,
    format: 'JSONCompactEachRow',
  });
  const tallies = new Map((await rows.json<[string, string | number]>()).map(([id, count]) => [id, Number(count)]));
  // What rows carry beyond these is what a job has yet to count; a row that carries what it should not is told by the check of rows.
  for (const id of new Set([...[...undisturbed.keys()].filter(isCounted), ...stored.keys()])) {
    const occurrences = stored.get(id)?.occurrences ?? 0;
    if (occurrences !== (tallies.get(id) ?? 0))
      counted.fail(`${id}: ${occurrences} told, ${tallies.get(id) ?? 0} rows`);
  }

  for (const [id, { occurrences }] of reference) {
    const most = published.get(id);
    if (most !== occurrences) told.fail(`${id}: ${most ?? 'nothing'} published, ${occurrences} expected`);
  }
  for (const id of published.keys()) if (!reference.has(id)) told.fail(`${id} should not have been published`);
  return [
    equal.result(`${reference.size} findings`),
    counted.result(`${tallies.size} findings on rows`),
    told.result(`${published.size} findings on the topic`),
  ];
}

/** The greatest number of occurrences published of each finding. */
function publishedFindings(topic: ReadonlyMap<number, BusRecord[]>): Map<string, number> {
  const published = new Map<string, number>();
  for (const records of topic.values())
    for (const { value } of records) {
      const finding = JSON.parse(value.toString('utf8')) as Finding;
      const { id, occurrences } = finding;
      if (isCompared(id) && !isGrouped(finding)) published.set(id, Math.max(published.get(id) ?? 0, occurrences));
    }
  return published;
}

async function columnOf(client: ClickHouseClient, query: string): Promise<string[]> {
  const answer = await client.query({ query, format: 'JSONCompactEachRow' });
  return (await answer.json<[string]>()).map(([value]) => value);
}
