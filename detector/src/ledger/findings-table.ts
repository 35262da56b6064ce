import type { ClickHouseClient } from '@clickhouse/client';
import { FINDINGS_TABLE, type Finding } from '../../contract/index.ts';
import { asLedgerErrors } from './errors.ts';
import type { FindingWrite } from './ledger.ts';
import { quoted } from './migrate/template.ts';

/** Ids are written into the statement's text, which is bounded at 256 KiB; parameters travel in the first line, at 16 KiB and less. */
export const IDS_PER_READ = 5_000;
const FINDINGS_PER_WRITE = 5_000;

/** The row as JSONEachRow has it: three columns hold JSON texts, instants are epoch milliseconds. */
interface FindingRow extends Omit<
  Finding,
  'first_seen' | 'last_seen' | 'last_received_at' | 'facts' | 'parameters' | 'ledger_filter'
> {
  first_seen: string;
  last_seen: string;
  last_received_at: string;
  facts: string;
  parameters: string;
  ledger_filter: string;
}

/** What a row carries besides, for the table's constraint: who may write it. */
interface WrittenRow extends FindingRow {
  kafka_partition: number;
  claimant: string;
}

/** A list for IN. */
export function listOf(texts: readonly string[]): string {
  return texts.map(quoted).join(', ');
}

/** The present state of these findings; those that are not there are left out. */
export async function readFindings(client: ClickHouseClient, database: string, ids: string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let start = 0; start < ids.length; start += IDS_PER_READ) {
    const rows = await asLedgerErrors('reading findings', async () => {
      const answer = await client.query({
        query: `SELECT id, rule, lane, fingerprint, hint, org, credential_id, severity, risk,
                       toUnixTimestamp64Milli(first_seen) AS first_seen,
                       toUnixTimestamp64Milli(last_seen) AS last_seen,
                       toUnixTimestamp64Milli(last_received_at) AS last_received_at,
                       occurrences, facts, parameters, ledger_filter
                FROM ${database}.${FINDINGS_TABLE} FINAL
                WHERE id IN (${listOf(ids.slice(start, start + IDS_PER_READ))})`,
        format: 'JSONEachRow',
      });
      return answer.json<FindingRow>();
    });
    findings.push(...rows.map(toFinding));
  }
  return findings;
}

/**
 * Writes findings; per id the row with most occurrences wins, of equal ones the last. That one is the newest: the table takes rows
 * from who holds the partition alone, and a detector writes one batch after the other.
 */
export async function writeFindings(
  client: ClickHouseClient,
  database: string,
  writes: readonly FindingWrite[],
  claimant: string,
): Promise<void> {
  for (let start = 0; start < writes.length; start += FINDINGS_PER_WRITE) {
    const values = writes.slice(start, start + FINDINGS_PER_WRITE).map((write) => toRow(write, claimant));
    await asLedgerErrors('storing findings', () =>
      client.insert({
        table: `${database}.${FINDINGS_TABLE}`,
        values,
        format: 'JSONEachRow',
        clickhouse_settings: { date_time_input_format: 'best_effort', wait_end_of_query: 1 },
      }),
    );
  }
}

function toRow({ finding, partition }: FindingWrite, claimant: string): WrittenRow {
  return {
    ...finding,
    kafka_partition: partition,
    claimant,
    facts: JSON.stringify(finding.facts),
    parameters: JSON.stringify(finding.parameters),
    ledger_filter: JSON.stringify(finding.ledger_filter),
  };
}

function toFinding(row: FindingRow): Finding {
  return {
    ...row,
    // UInt64 and Int64 come as text where the server quotes them.
    risk: Number(row.risk),
    occurrences: Number(row.occurrences),
    first_seen: new Date(Number(row.first_seen)).toISOString(),
    last_seen: new Date(Number(row.last_seen)).toISOString(),
    last_received_at: new Date(Number(row.last_received_at)).toISOString(),
    facts: JSON.parse(row.facts) as Finding['facts'],
    parameters: JSON.parse(row.parameters) as Finding['parameters'],
    ledger_filter: JSON.parse(row.ledger_filter) as Finding['ledger_filter'],
  };
}
