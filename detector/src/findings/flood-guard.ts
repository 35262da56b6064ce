import { findingIdOf, type LedgerRow, type RuleId, type Severity } from '../../contract/index.ts';
import { evidenceOnRow, evidenceText } from './evidence.ts';

/*
 * Whoever holds a collector's key can make keys, organisations and addresses up, each of which is a finding of its own. So of one rule and
 * collector only so many findings are raised within a window; what more there is is counted in one finding that says so. What can be made up
 * with less effort has an allowance of its own, so that it takes nothing from the rest: keys of which only a hint is told, keys that are told by
 * fingerprint, keys that the registry has, and each severity. All of it follows from the rows of a partition in their order and from nothing
 * else, so that rows bring it back after a restart, and detectors that share the partitions decide the same.
 */

export interface FloodLimits {
  /** Findings of one rule and collector that are raised within the window, over all partitions. */
  findingsMax: number;
  windowMs: number;
}

export const FLOOD_LIMITS: FloodLimits = { findingsMax: 100, windowMs: 3_600_000 };

/** A row on which findings were raised, as the ledger brings it back. */
export type RaisingRow = Pick<LedgerRow, 'kafka_partition' | 'received_at' | 'collector' | 'evidence'>;

/** How much is known of the key of an event. */
export type KeyClass = 'hint' | 'fingerprint' | 'registered';

/** A finding that is about to be raised. */
export interface Raising {
  rule: RuleId;
  /** Id that it would have. */
  id: string;
  key: KeyClass;
  severity: Severity;
}

export interface FloodGuard {
  /**
   * Whether the finding is raised. If it is, the row tells so from then on; if not, the row carries the finding that counts what is too many,
   * which no row raises: the job for floods makes it of them.
   */
  admit(row: LedgerRow, raising: Raising): boolean;
  /** Takes in what was raised before a restart; rows of one partition come in their order. */
  restore(row: RaisingRow): void;
  /** Forgets everything, before an assignment is restored. */
  clear(partitions: number): void;
}

/** Rows that are stored longer ago raise nothing that counts still. */
export const FLOOD_HISTORY_MS = 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
/** Allowances held; the one begun first is forgotten first. */
const ALLOWANCES_MAX = 50_000;
/** Before the allowance and the id of a finding that its row raised. */
const RAISED = '+';

export function createFloodGuard({ findingsMax, windowMs }: FloodLimits = FLOOD_LIMITS): FloodGuard {
  const allowances = new Map<string, { window: number; raised: number }>();
  /** Lanes are spread evenly, and so is what may be raised. */
  let perPartitionMax = findingsMax;

  function allowanceOf(row: RaisingRow, name: string) {
    const key = `${row.kafka_partition} ${name} ${row.collector}`;
    const window = Math.floor(row.received_at / windowMs);
    let held = allowances.get(key);
    if (held === undefined) {
      if (allowances.size >= ALLOWANCES_MAX) allowances.delete(allowances.keys().next().value!);
      allowances.set(key, (held = { window, raised: 0 }));
    }
    // What comes late counts in the window that has begun.
    if (window > held.window) {
      held.window = window;
      held.raised = 0;
    }
    return held;
  }

  return {
    admit(row, { rule, id, key, severity }) {
      const name = `${rule}/${key}/${severity}`;
      const allowance = allowanceOf(row, name);
      if (allowance.raised < perPartitionMax) {
        allowance.raised++;
        row.evidence = [...row.evidence, `${RAISED}${name} ${id}`];
        return true;
      }
      const dayMs = row.received_at - (row.received_at % DAY_MS);
      const group = floodIdOf(rule, row.collector, dayMs);
      const facts = { grouped: true, collector: row.collector };
      row.findings = [...row.findings, group];
      row.evidence = [...row.evidence, evidenceOnRow(group, evidenceText({ severity, atMs: dayMs, facts }))];
      return false;
    },
    restore(row) {
      for (const text of row.evidence)
        if (text.startsWith(RAISED)) allowanceOf(row, text.slice(RAISED.length, text.indexOf(' '))).raised++;
    },
    clear(partitions) {
      allowances.clear();
      perPartitionMax = Math.max(1, Math.floor(findingsMax / Math.max(1, partitions)));
    },
  };
}

/** The finding that counts what is too many of a rule, a collector and a UTC day (its beginning, epoch milliseconds). */
export function floodIdOf(rule: string, collector: string, dayMs: number): string {
  return findingIdOf(rule, `collector ${collector}`, [String(dayMs)]);
}
