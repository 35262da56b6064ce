import { compileCidrs, isPrivileged, type CredentialRecord } from '@lanewatch/ingest/contract';
import type { Severity } from '../../contract/index.ts';
import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import type { Decision, Guards } from './sweep.ts';

/** A guard that is off now and was on when the key was looked at last. */
interface Removal {
  change: string;
  severity: Severity;
  /** Whether it may be put back within the time before anybody is told. */
  mayReturn: boolean;
}

/** What limits the key now. */
export function guardsOf(record: CredentialRecord): Guards {
  return {
    privileged: isPrivileged(record.scopes),
    scopes: record.scopes.map(({ action, resource }) => `${action} ${resource}`),
    allowed_cidrs: record.allowed_cidrs,
    has_budget: record.budget !== null,
  };
}

export interface GuardSweep {
  id: 'R23';
  parameters: ParameterValues;
  /**
   * @param before null for a key that was not there before
   * @param changedMs when the difference was seen first
   * @returns what to tell, and whether the guards as they are now are those to compare with from here on
   */
  decide(
    record: CredentialRecord,
    before: Guards | null,
    changedMs: number,
    nowMs: number,
  ): { decisions: Decision[]; settled: boolean };
}

/** R23: a privileged key was made, scopes or networks were widened, or a budget was taken off; the latter two unless they are soon back. */
export function guardRemoved(overrides?: ParameterValues): GuardSweep {
  const parameters = parametersOf('R23', overrides);
  const restoredMs = Number(parameters['restored_ms']);
  return {
    id: 'R23',
    parameters,
    decide(record, before, changedMs, nowMs) {
      const removals = removalsBetween(before, guardsOf(record));
      const waits = nowMs - changedMs < restoredMs && removals.some(({ mayReturn }) => mayReturn);
      const told = waits ? removals.filter(({ mayReturn }) => !mayReturn) : removals;
      const decisions = told.map(({ change, severity }) => ({
        dedupe: [change, String(record.version)],
        severity,
        facts: { change, ...(record.changed_by !== undefined && { actor: record.changed_by }) },
        sinceMs: changedMs,
      }));
      return { decisions, settled: !waits };
    },
  };
}

function removalsBetween(before: Guards | null, now: Guards): Removal[] {
  if (before === null)
    return now.privileged ? [{ change: 'a privileged key was made', severity: 'medium', mayReturn: false }] : [];
  const removals: Removal[] = [];
  if (!before.privileged && now.privileged)
    removals.push({ change: 'its scopes became privileged', severity: 'high', mayReturn: false });
  else if (now.scopes.some((scope) => !before.scopes.includes(scope)))
    removals.push({ change: 'its scopes were widened', severity: 'medium', mayReturn: false });
  if (isWider(now.allowed_cidrs, before.allowed_cidrs))
    removals.push({ change: 'its networks were widened', severity: 'high', mayReturn: true });
  if (before.has_budget && !now.has_budget)
    removals.push({ change: 'its budget was taken off', severity: 'medium', mayReturn: true });
  return removals;
}

/** Whether a network is allowed that was not. An empty list allows any. */
function isWider(now: readonly string[], before: readonly string[]): boolean {
  if (before.length === 0) return false;
  if (now.length === 0) return true;
  return now.some((cidr) => !before.some((other) => covers(other, cidr)));
}

function covers(outer: string, inner: string): boolean {
  const [address = '', prefix] = inner.split('/');
  return Number(outer.split('/')[1]) <= Number(prefix) && compileCidrs([outer])(address);
}
