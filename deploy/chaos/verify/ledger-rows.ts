import type { ClickHouseClient } from '@clickhouse/client';
import type { LedgerRow } from '@lanewatch/detector/contract';
import { isCompared } from './compared.ts';
import { DATABASE } from '../system/engine.ts';
import { contentOf, keyOf } from '../workload/events.ts';
import type { SentEvents } from '../workload/collectors.ts';
import { createCheck, type CheckResult } from './check.ts';

type Row = [
  source: string,
  id: string,
  lane: string,
  user: string,
  session: string,
  time: string | number,
  costNanoUsd: string | number,
  tokensOutput: string | number,
  standing: string,
  match: string,
  credentialId: string,
  partition: number,
  offset: string | number,
  recordIndex: number,
  findings: string[],
];

const COLUMNS = `source, id, lane, user, session, toUnixTimestamp64Milli(time), toInt64(cost_usd * 1000000000), tokens_output,
  standing, match, credential_id, kafka_partition, kafka_offset, record_index, findings`;

/** The two halves of "exactly once", by the names of their checks. */
export const GUARANTEES = {
  complete: 'every acknowledged event is in the ledger',
  once: 'no event is in the ledger twice',
} as const;

/** What sources of events begin with; corrections are the detectors' own. */
const SENT = 'chaos/';

/** Compares the ledger row by row, as it streams in, with what was sent and with the reference. */
export async function checkRows(
  client: ClickHouseClient,
  events: SentEvents,
  reference: readonly LedgerRow[],
): Promise<CheckResult[]> {
  const place = createCheck('rows and their findings are those of an undisturbed run');
  const expectedPlaces = new Map(
    reference
      .filter(({ source }) => source.startsWith(SENT))
      .map((row) => [
        keyOf(row.source, row.id),
        placeOf(row.kafka_partition, row.kafka_offset, row.record_index, row.findings),
      ]),
  );
  const { checks, seen } = await checkSent(client, `${DATABASE}.ledger`, SENT, events, (key, where) => {
    const expected = expectedPlaces.get(key);
    if (expected !== where) place.fail(`${show(key)}: expected ${expected ?? 'none'}, got ${where}`);
  });
  for (const key of expectedPlaces.keys())
    if (!seen.has(key)) place.fail(`${show(key)} is on the bus and not in the ledger`);
  return [...checks, place.result(`${reference.length} rows in the reference`)];
}

/**
 * The same with what was sent alone, in a ledger that others may write, too.
 * @param table with its database, checked identifiers
 * @param sourcePrefix what all sources of the events begin with, and those of no others
 * @param onRow hears of every row and where it lies
 */
export async function checkSent(
  client: ClickHouseClient,
  table: string,
  sourcePrefix: string,
  events: SentEvents,
  onRow: (key: string, where: string) => void = () => undefined,
): Promise<{ checks: CheckResult[]; seen: ReadonlySet<string> }> {
  const complete = createCheck(GUARANTEES.complete);
  const once = createCheck(GUARANTEES.once);
  const sentOnly = createCheck('no row was never sent');
  const content = createCheck('rows hold what was sent, with the right standing');
  const seen = new Set<string>();
  let rows = 0;
  const answer = await client.query({
    query: `SELECT ${COLUMNS} FROM ${table} WHERE startsWith(source, {prefix:String})
      ORDER BY kafka_partition, kafka_offset, record_index`,
    query_params: { prefix: sourcePrefix },
    format: 'JSONCompactEachRow',
  });
  for await (const chunk of answer.stream<Row>())
    for (const entry of chunk) {
      const row: Row = entry.json();
      const [source, id, lane, user, session, time, cost, output, standing, match, credential_id, ...rest] = row;
      const [partition, offset, recordIndex, findings] = rest;
      const key = keyOf(source, id);
      const where = placeOf(partition, Number(offset), recordIndex, findings);
      rows++;
      if (seen.has(key)) once.fail(`${show(key)} again at ${where}`);
      seen.add(key);
      const expected = events.sent.get(key);
      const actual = contentOf({
        lane,
        user,
        session,
        time: Number(time),
        cost_nano_usd: Number(cost),
        tokens_output: Number(output),
        standing,
        match,
        credential_id,
      });
      if (expected === undefined) sentOnly.fail(show(key));
      else if (expected !== actual) content.fail(`${show(key)}: expected ${expected}, got ${actual}`);
      onRow(key, where);
    }
  for (const key of events.acknowledged) if (!seen.has(key)) complete.fail(show(key));
  const checks = [
    complete.result(`${events.acknowledged.size} acknowledged, ${rows} rows`),
    once.result(`${rows} rows, ${seen.size} events`),
    sentOnly.result(`${events.sent.size} sent`),
    content.result(`${rows} rows compared`),
  ];
  return { checks, seen };
}

const placeOf = (partition: number, offset: number, index: number, findings: readonly string[]) =>
  `${partition}/${offset}/${index} [${findings.filter(isCompared).join(' ')}]`;
const show = (key: string) => key.replace('\n', ' ');
