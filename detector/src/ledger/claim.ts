import { setTimeout as delay } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { FINDINGS_TABLE, LEDGER_TABLE } from '../../contract/index.ts';
import { abortedBy } from './clickhouse.ts';
import { asLedgerErrors } from './errors.ts';
import { FencedError, LedgerUnavailableError, type Ledger } from './ledger.ts';
import { replicaSteps } from './replicas.ts';
import { PROGRESS_TABLE } from './resume-point.ts';

const POLL_FIRST_MS = 5;
const POLL_MAX_MS = 200;

/** Whatever its name begins with. */
const ANYBODY = '';

/**
 * Makes the functions that hand partitions over to a claimant.
 * @param waitMsMax how long inserts of an earlier claimant may take to end; longer than an insert's time limit
 * @param cluster the cluster that the ledger is replicated on; '', the default, for a single server
 */
export function ledgerClaim(
  client: ClickHouseClient,
  database: string,
  waitMsMax: number,
  cluster = '',
): Pick<Ledger, 'claim' | 'renewClaim'> {
  const claims = `${database}.claims`;
  const dictionary = `${database}.claims_by_partition`;
  const replicas = replicaSteps(database, cluster);

  /**
   * Always later than the claim before, whatever the clock does: a step back must not make a new claim an old one.
   * @param lineage what the name of the present holder must begin with
   */
  async function insertClaim(
    partitions: number[],
    claimant: string,
    lineage: string,
    abort: { abort_signal?: AbortSignal },
  ): Promise<void> {
    await client.command({
      ...abort,
      query: `INSERT INTO ${claims} (partition, claimant, claimed_at)
              SELECT wanted.partition, {claimant:String}, greatest(now64(6, 'UTC'), addMicroseconds(held.latest, 1))
              FROM (SELECT arrayJoin({partitions:Array(UInt64)}) AS partition) AS wanted
              LEFT JOIN (SELECT partition, max(claimed_at) AS latest, argMax(claimant, (claimed_at, claimant)) AS holder
                         FROM ${claims} GROUP BY partition) AS held
              ON held.partition = wanted.partition
              WHERE startsWith(held.holder, {lineage:String})`,
      query_params: { claimant, partitions, lineage },
    });
  }

  async function holdsAll(partitions: number[], claimant: string): Promise<boolean> {
    const answer = await client.query({
      query: `SELECT countIf(dictGet('${dictionary}', 'claimant', partition) != {claimant:String})
              FROM (SELECT arrayJoin({partitions:Array(UInt64)}) AS partition)`,
      query_params: { claimant, partitions },
      format: 'JSONCompactEachRow',
    });
    const [row] = await answer.json<[string | number]>();
    return Number(row?.[0]) === 0;
  }

  async function runningInserts(): Promise<Set<string>> {
    const answer = await client.query({
      query: `SELECT query_id FROM ${replicas.processes}
              WHERE query_kind = 'Insert' AND multiSearchAny(query, {tables:Array(String)})`,
      query_params: { tables: [LEDGER_TABLE, PROGRESS_TABLE, FINDINGS_TABLE].map((table) => `${database}.${table}`) },
      format: 'JSONCompactEachRow',
    });
    return new Set((await answer.json<[string]>()).map(([id]) => id));
  }

  /** Inserts that began before the reload may have been checked against the old claim; those that begin now are not. */
  async function outlastOlderInserts(signal: AbortSignal | undefined): Promise<void> {
    const deadline = Date.now() + waitMsMax;
    let older = await runningInserts();
    for (let pauseMs = POLL_FIRST_MS; older.size > 0; pauseMs = Math.min(pauseMs * 2, POLL_MAX_MS)) {
      if (Date.now() > deadline)
        throw new LedgerUnavailableError(
          `claiming partitions: ${older.size} insert(s) of an earlier claimant still run after ${waitMsMax} ms: ${[...older].join(', ')}`,
        );
      await delay(pauseMs, undefined, { ...(signal && { signal }) });
      const running = await runningInserts();
      older = new Set([...older].filter((id) => running.has(id)));
    }
  }

  async function claimFrom(
    lineage: string,
    partitions: number[],
    claimant: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (partitions.length === 0) return;
    if (claimant === '')
      throw new RangeError('a claimant needs a name: the empty one is what unclaimed partitions have');
    await asLedgerErrors('claiming partitions', async () => {
      const abort = abortedBy(signal);
      await insertClaim(partitions, claimant, lineage, abort);
      for (const query of replicas.afterClaim) await client.command({ query, ...abort });
      // Not claimed again: whoever came later was assigned them later, and two who insist would shut each other out in turn. The
      // loser of a tie, or of a claim by somebody who should have none any more, has them by its next assignment.
      if (!(await holdsAll(partitions, claimant)))
        throw new FencedError(`claiming partitions: another detector claimed one of them while ${claimant} did`);
      await outlastOlderInserts(signal);
      for (const query of replicas.beforeResume) await client.command({ query, ...abort });
    });
  }

  return {
    claim: (partitions, claimant, signal) => claimFrom(ANYBODY, partitions, claimant, signal),
    renewClaim: (partitions, claimant, lineage, signal) => claimFrom(lineage, partitions, claimant, signal),
  };
}
