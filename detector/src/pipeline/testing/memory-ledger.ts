import { partitionForKey, UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import type { Finding, LedgerRow } from '../../../contract/index.ts';
import { evidenceFor } from '../../findings/evidence.ts';
import { isResolvedUser } from '../../lane-state/people.ts';
import {
  FencedError,
  FINDING_LABELS,
  LedgerUnavailableError,
  type FindingLabels,
  type FindingTally,
  type LaneDimension,
  type Ledger,
  type RowBlock,
} from '../../ledger/ledger.ts';

/** A ledger in memory with the real one's promises, for tests of the pipeline's logic. */
export interface MemoryLedger extends Ledger {
  rows: LedgerRow[];
  findings: Map<string, Finding>;
  /** Called at every step; a throw before the effect loses the request, one after it loses the answer. */
  intercept: (step: Step) => void;
  /** Requests that their sender gave up and that are still under way; {@link MemoryLedger.deliverLate} lets them arrive. */
  late: (() => void)[];
  /** Lets all of {@link late} arrive now, and counts those that were refused. */
  deliverLate(): number;
}

type Step = 'insert' | 'inserted' | 'renew' | 'renewed' | 'findings' | 'findings-written' | 'progress';

/** Thrown by `intercept` before a step: its request is held back by whatever lies between, and arrives late or never. */
export class HeldBackError extends LedgerUnavailableError {}

class MemoryBlock implements RowBlock {
  readonly rows: LedgerRow[] = [];

  get length(): number {
    return this.rows.length;
  }

  add(row: LedgerRow): void {
    this.rows.push({ ...row });
  }

  seal(storedAtMs: number): void {
    for (const row of this.rows) row.stored_at = storedAtMs;
  }
}

function valueOf(row: LedgerRow, dimension: LaneDimension): string {
  if (dimension === 'endpoint') return row.ip || row.host;
  if (dimension === 'user') return isResolvedUser(row.user) ? row.user : '';
  if (dimension === 'unresolved') return isResolvedUser(row.user) ? '' : row.user;
  return row[dimension];
}

/** First and last of each run of sights that are less than the window apart. */
function staysOf(sights: readonly number[], windowMs: number): number[] {
  return sights.flatMap((sight, index) => [
    ...(index === 0 || sight - sights[index - 1]! >= windowMs ? [sight] : []),
    ...(index === sights.length - 1 || sights[index + 1]! - sight >= windowMs ? [sight] : []),
  ]);
}

export function createMemoryLedger(): MemoryLedger {
  const claims = new Map<number, string>();
  const resets = new Map<number, number>();
  const progress: { partition: number; nextOffset: number; storedAtMs: number }[] = [];
  const rows: LedgerRow[] = [];
  const findings = new Map<string, Finding>();
  const within = (partitions: number[], sinceMs: number) =>
    rows.filter((row) => partitions.includes(row.kafka_partition) && row.stored_at >= sinceMs);
  const ofLanes = (partitions: number[], sinceMs: number) =>
    within(partitions, sinceMs).filter(({ lane }) => lane !== UNATTRIBUTED_LANE);
  const lanesOf = (some: LedgerRow[]) => new Set(some.map(({ lane }) => lane));

  /** What these rows say about the findings on them. */
  function tallies(some: LedgerRow[], isWanted: (id: string) => boolean): FindingTally[] {
    const occurrences = some.flatMap((row) => row.findings.filter(isWanted).map((id) => ({ id, row })));
    return [...Map.groupBy(occurrences, ({ id }) => id)].map(([id, own]) => ({
      id,
      lane: own[0]!.row.lane,
      occurrences: own.length,
      cost_nano_usd: own.reduce((sum, { row }) => sum + row.cost_nano_usd, 0),
      first_seen: Math.min(...own.map(({ row }) => row.seen_at)),
      last_seen: Math.max(...own.map(({ row }) => row.seen_at)),
      last_received_at: Math.max(...own.map(({ row }) => row.received_at)),
      delay_ms_min: Math.min(...own.map(({ row }) => row.received_at - row.seen_at)),
      endpoint_unresolved: own.some(({ row }) => row.ip !== '' && row.host === '' && !isResolvedUser(row.user)),
      ...(Object.fromEntries(
        FINDING_LABELS.map((label) => {
          const values = own.map(({ row }) => {
            if (label === 'evidence') return evidenceFor(id, row.evidence);
            return label === 'endpoint' ? row.ip || row.host : row[label];
          });
          return [label, values.findLast((value) => value !== '') ?? ''];
        }),
      ) as FindingLabels),
    }));
  }

  /** A request that changes something: it is carried out now, or later where it is held back. */
  function request(step: Step, effect: () => void): void {
    try {
      ledger.intercept(step);
    } catch (error) {
      if (error instanceof HeldBackError) ledger.late.push(effect);
      throw error;
    }
    effect();
  }

  const ledger: MemoryLedger = {
    rows,
    findings,
    intercept: () => undefined,
    late: [],
    deliverLate() {
      let refused = 0;
      for (const effect of ledger.late.splice(0)) {
        try {
          effect();
        } catch (error) {
          if (!(error instanceof FencedError)) throw error;
          refused++;
        }
      }
      return refused;
    },
    async claim(partitions, claimant) {
      for (const partition of partitions) claims.set(partition, claimant);
    },
    async renewClaim(partitions, claimant, lineage) {
      ledger.intercept('renew');
      if (!partitions.every((partition) => claims.get(partition)?.startsWith(lineage)))
        throw new FencedError('claimed by another');
      for (const partition of partitions) claims.set(partition, claimant);
      ledger.intercept('renewed');
    },
    async resumeOffsets(partitions) {
      const offsets = new Map<number, number>();
      for (const row of within(partitions, 0)) {
        if (row.stored_at < (resets.get(row.kafka_partition) ?? 0)) continue;
        offsets.set(row.kafka_partition, Math.max(offsets.get(row.kafka_partition) ?? 0, row.kafka_offset + 1));
      }
      for (const { partition, nextOffset, storedAtMs } of progress)
        if (partitions.includes(partition) && storedAtMs >= (resets.get(partition) ?? 0))
          offsets.set(partition, Math.max(offsets.get(partition) ?? 0, nextOffset));
      return offsets;
    },
    async noteProgress(nextOffsets, storedAtMs, claimant) {
      request('progress', () => {
        if ([...nextOffsets.keys()].some((partition) => claims.get(partition) !== claimant))
          throw new FencedError('not the claimant');
        for (const [partition, nextOffset] of nextOffsets) progress.push({ partition, nextOffset, storedAtMs });
      });
    },
    async resetPartitions(partitions) {
      for (const partition of partitions) {
        const noted = progress.filter((own) => own.partition === partition).map(({ storedAtMs }) => storedAtMs);
        const latest = Math.max(...within([partition], 0).map(({ stored_at }) => stored_at), ...noted);
        if (latest > 0) resets.set(partition, latest + 1);
      }
    },
    newBlock: () => new MemoryBlock(),
    async insert(block, claimant) {
      if (block.length === 0) return;
      const batch = (block as MemoryBlock).rows.map((row) => ({ ...row, claimant }));
      request('insert', () => {
        if (batch.some((row) => claims.get(row.kafka_partition) !== claimant))
          throw new FencedError('not the claimant');
        rows.push(...batch);
      });
      ledger.intercept('inserted');
    },
    async restoreHashes(partitions, partitionCount, sinceMs, limit, onHash) {
      const isOwn = (row: LedgerRow) => {
        const key = row.lane === UNATTRIBUTED_LANE ? row.session : row.lane;
        return (
          partitions.includes(row.kafka_partition) ||
          (key !== '' && partitions.includes(partitionForKey(key, partitionCount)))
        );
      };
      const newest = rows.filter((row) => row.stored_at >= sinceMs && isOwn(row)).slice(-limit);
      for (const row of newest) onHash(row.event_hash_low, row.event_hash_high, row.stored_at);
    },
    async restoreLanes(partitions, sinceMs, limit, onLane) {
      // Rows are in the order in which they were stored, so the last one of a lane decides.
      const latest = new Map<string, LedgerRow>();
      for (const row of ofLanes(partitions, sinceMs)) {
        latest.delete(row.lane);
        latest.set(row.lane, row);
      }
      for (const row of [...latest.values()].slice(Math.max(0, latest.size - limit))) onLane(row);
    },
    async restoreValues(partitions, sinceMs, { dimension, limit, windowMs }, onValue) {
      const lanes = lanesOf(ofLanes(partitions, sinceMs));
      const some = rows.filter((row) => lanes.has(row.lane) && row.stored_at >= sinceMs);
      for (const [lane, own] of Map.groupBy(some, (row) => row.lane)) {
        const values = [...Map.groupBy(own, (row) => valueOf(row, dimension))]
          .filter(([value]) => value !== '')
          .map(([value, seen]) => {
            const sights = seen.map((row) => row.seen_at).sort((a, b) => a - b);
            const stays = dimension === 'user' ? staysOf(sights, windowMs) : [sights[0]!, sights.at(-1)!];
            return { lane, dimension, value, stays };
          })
          .sort((a, b) => b.stays.at(-1)! - a.stays.at(-1)! || (a.value < b.value ? -1 : 1));
        values.slice(0, limit).forEach(onValue);
      }
    },
    async restoreProfiles(partitions, sinceMs, onRow) {
      const lanes = lanesOf(ofLanes(partitions, sinceMs));
      const some = rows.filter((row) => lanes.has(row.lane) && row.stored_at >= sinceMs);
      for (const own of Map.groupBy(some, (row) => row.lane).values()) {
        const carried = own.findLastIndex(({ lane_profile }) => lane_profile !== '');
        own.slice(Math.max(0, carried)).forEach(onRow);
      }
    },
    async restoreRaisings(partitions, sinceMs, onRow) {
      ofLanes(partitions, sinceMs).forEach(onRow);
    },
    async restoreAddresses(partitions, sinceMs, onUse) {
      for (const { ip, host, user, lane, org, seen_at } of ofLanes(partitions, sinceMs))
        if (ip !== '' && host === '' && !isResolvedUser(user)) onUse({ ip, lane, org, lastMs: seen_at });
    },
    async restoreWork(partitions, sinceMs, onUse) {
      for (const { user, agent, repo, lane, credential_id, seen_at, outcome } of ofLanes(partitions, sinceMs))
        if (outcome === 'success' && repo !== '' && isResolvedUser(user))
          onUse({ user, agent, repo, day: Math.floor(seen_at / 86_400_000), key: credential_id || lane });
    },
    async restoreFindings(partitions, sinceMs, onTally) {
      const lanes = lanesOf(ofLanes(partitions, sinceMs));
      tallies(
        rows.filter(({ lane }) => lanes.has(lane)),
        () => true,
      ).forEach(onTally);
    },
    async tallyKnownFindings(wanted, onTally) {
      const known = new Set(wanted.map(({ id }) => id).filter((id) => findings.has(id)));
      tallies(rows, (id) => known.has(id)).forEach(onTally);
    },
    async readFindings(ids) {
      return ids.flatMap((id) => findings.get(id) ?? []);
    },
    async writeFindings(writes, claimant) {
      request('findings', () => {
        if (writes.some(({ partition }) => claims.get(partition) !== claimant))
          throw new FencedError('not the claimant');
        for (const { finding } of writes) {
          if ((findings.get(finding.id)?.occurrences ?? 0) <= finding.occurrences) findings.set(finding.id, finding);
        }
      });
      ledger.intercept('findings-written');
    },
    async close() {
      // Nothing is held.
    },
  };
  return ledger;
}
