import type { ClickHouseClient } from '@clickhouse/client';
import { FINDINGS_TABLE } from '../../contract/index.ts';
import { IDS_PER_READ, listOf } from './findings-table.ts';
import { FINDING_LABELS, type FindingLabels, type FindingTally } from './ledger.ts';
import { ENDPOINT, IS_UNRESOLVED_USER, restoreQueries, STORED_ORDER } from './restore-queries.ts';

/** Labels of a finding that are no columns. */
const LABEL_COLUMNS: Partial<Record<(typeof FINDING_LABELS)[number], string>> = {
  endpoint: ENDPOINT,
  // Behind the finding's id and a blank.
  evidence: 'substring(arrayFirst(text -> startsWith(text, finding), evidence), length(finding) + 2)',
};

const LANES_PER_READ = 1_000;

/** Of a finding's row in the table: occurrences, and first_seen in epoch milliseconds. */
type Written = [occurrences: number, firstSeen: number];

/** The reads that tell what all ledger rows say about findings. */
export function ledgerTallies(client: ClickHouseClient, database: string) {
  const { ledger, ofTheirLanes, eachRow } = restoreQueries(client, database);

  const tallyColumns = `finding, any(lane), count(),
      -- Through 128 bits: a lane of absurd cost must not fail the restart, an ordinary one stays exact to the nano-dollar.
      toFloat64(toInt128(sum(cost_usd) * 1000000000)),
      toUnixTimestamp64Milli(min(seen_at)), toUnixTimestamp64Milli(max(seen_at)), toUnixTimestamp64Milli(max(received_at)),
      min(toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(seen_at)),
      max(ip != '' AND host = '' AND (user = '' OR ${IS_UNRESOLVED_USER})),
      ${FINDING_LABELS.map((label) => LABEL_COLUMNS[label] ?? label)
        .map((column) => `argMaxIf(${column}, ${STORED_ORDER}, ${column} != '')`)
        .join(', ')}`;

  async function eachTally(
    doing: string,
    where: string,
    query_params: Record<string, unknown>,
    written: ReadonlyMap<string, Written>,
    onTally: (tally: FindingTally) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await eachRow<[string, string, number, number, number, number, number, number, number, ...string[]]>(
      doing,
      `SELECT ${tallyColumns} FROM ${ledger} ARRAY JOIN findings AS finding WHERE ${where} GROUP BY finding`,
      query_params,
      ([
        id,
        lane,
        occurrences,
        cost_nano_usd,
        first_seen,
        last_seen,
        last_received_at,
        delay_ms_min,
        is,
        ...labels
      ]) => {
        // Fewer rows than the table says are there once the oldest were dropped by age. A smaller count would lose against the row
        // that is there, and with it everything newer.
        const [occurrencesMin, firstSeenMax] = written.get(id) ?? [0, Infinity];
        const named = FINDING_LABELS.map((label, index) => [label, labels[index] ?? '']);
        onTally({
          ...(Object.fromEntries(named) as FindingLabels),
          ...{ id, lane, cost_nano_usd, last_seen, last_received_at, delay_ms_min },
          occurrences: Math.max(occurrences, occurrencesMin),
          first_seen: Math.min(first_seen, firstSeenMax),
          endpoint_unresolved: is === 1,
        });
      },
      signal,
    );
  }

  async function writtenWhere(
    where: string,
    query_params: Record<string, unknown> = {},
  ): Promise<Map<string, Written>> {
    const written = new Map<string, Written>();
    await eachRow<[string, ...Written]>(
      'looking findings up',
      // Without FINAL: the most and the first are the same before and after rows are merged.
      `SELECT id, max(occurrences), toUnixTimestamp64Milli(min(first_seen)) FROM ${database}.${FINDINGS_TABLE}
       WHERE ${where} GROUP BY id`,
      query_params,
      ([id, ...row]) => written.set(id, row),
    );
    return written;
  }

  async function writtenOf(ids: readonly string[]): Promise<Map<string, Written>> {
    const all: [string, Written][] = [];
    for (let start = 0; start < ids.length; start += IDS_PER_READ)
      all.push(...(await writtenWhere(`id IN (${listOf(ids.slice(start, start + IDS_PER_READ))})`)));
    return new Map(all);
  }

  return {
    async restoreFindings(
      partitions: number[],
      sinceMs: number,
      onTally: (tally: FindingTally) => void,
      signal?: AbortSignal,
    ): Promise<void> {
      await eachTally(
        'restoring findings',
        `notEmpty(findings) AND ${ofTheirLanes}`,
        { partitions, since: sinceMs },
        await writtenWhere('kafka_partition IN {partitions:Array(UInt32)}', { partitions }),
        onTally,
        signal,
      );
    },

    async tallyKnownFindings(
      findings: readonly { id: string; lane: string }[],
      onTally: (tally: FindingTally) => void,
    ): Promise<void> {
      const known = await writtenOf(findings.map(({ id }) => id));
      const wanted = findings.filter(({ id }) => known.has(id));
      for (let start = 0; start < wanted.length; start += LANES_PER_READ) {
        const some = wanted.slice(start, start + LANES_PER_READ);
        const lanes = listOf(some.map(({ lane }) => lane));
        const ids = listOf(some.map(({ id }) => id));
        await eachTally('tallying findings', `lane IN (${lanes}) AND finding IN (${ids})`, {}, known, onTally);
      }
    },
  };
}
