import type { Environments, Mark, Module, Modules, Severity } from '../../contract/index.ts';
import { CREDENTIAL_ENVIRONMENTS } from '../../contract/index.ts';
import type { LastUses } from './last-uses.ts';
import { hasMark, isFromAnyNetwork, ownersOfTooManyOldKeys } from './marks.ts';
import { isWeaklyGoverned, statusAt, usageOf } from './record.ts';
import type { CredentialRow, LastUse } from './record.ts';
import type { RegistrySnapshot } from './view.ts';

type Risk = Modules['items'][number]['risk'];

const LEVELS: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/** A reason for the risk of a module: which active keys it holds for, and how much it weighs. */
interface RiskReason {
  code: string;
  level: Severity;
  message: (keys: number) => string;
  holds: (row: CredentialRow) => boolean;
}

const plural = (keys: number, one: string, many: string): string => `${keys} ${keys === 1 ? one : many}`;

/**
 * Reasons in the order of their weight. A key of full control that works from anywhere is what an attacker wants most; what is merely
 * untidy weighs little. The same facts as rule R22 counts, and findings that are open.
 */
function reasonsOf(parts: {
  nowMs: number;
  lastUses: LastUses;
  tooManyOldOf: ReadonlySet<string>;
  worstOpen: ReadonlyMap<string, Severity>;
}): RiskReason[] {
  const { nowMs, lastUses, tooManyOldOf, worstOpen } = parts;
  const isAdmin = ({ scopes }: CredentialRow) => scopes.some(({ action }) => action === 'admin' || action === '*');
  const marked = (mark: Mark) => (row: CredentialRow) =>
    hasMark(row, mark, { lastUse: lastUses.of(row.id), nowMs, tooManyOldOf });
  const open = (level: Severity): RiskReason => ({
    code: `${level}_finding`,
    level,
    message: (keys) => `${plural(keys, 'key has', 'keys have')} an open ${level} finding`,
    holds: ({ id }) => worstOpen.get(id) === level,
  });
  return [
    open('critical'),
    {
      code: 'admin_from_anywhere',
      level: 'critical',
      message: (keys) => `${plural(keys, 'key of full control works', 'keys of full control work')} from any network`,
      holds: (row) => isAdmin(row) && isFromAnyNetwork(row),
    },
    open('high'),
    {
      code: 'production_from_anywhere',
      level: 'high',
      message: (keys) => `${plural(keys, 'production key works', 'production keys work')} from any network`,
      holds: (row) => row.kind === 'managed' && row.environment === 'production' && isFromAnyNetwork(row),
    },
    {
      code: 'admin',
      level: 'high',
      message: (keys) => `${plural(keys, 'key has', 'keys have')} full control of something`,
      holds: isAdmin,
    },
    {
      code: 'weakly_governed',
      level: 'medium',
      message: (keys) => `for ${plural(keys, 'key', 'keys')} nobody, or no organisation, answers`,
      holds: isWeaklyGoverned,
    },
    open('medium'),
    {
      code: 'rotation_overdue',
      level: 'medium',
      message: (keys) => `${plural(keys, 'secret is', 'secrets are')} older than 90 days`,
      holds: marked('rotation_overdue'),
    },
    {
      code: 'no_expiry',
      level: 'medium',
      message: (keys) => `${plural(keys, 'key never expires', 'keys never expire')}`,
      holds: marked('no_expiry'),
    },
    {
      code: 'idle',
      level: 'low',
      message: (keys) => `${plural(keys, 'key was', 'keys were')} not used for 90 days`,
      holds: marked('idle'),
    },
  ];
}

function riskOf(active: readonly CredentialRow[], reasons: readonly RiskReason[]): Risk {
  const found = reasons.flatMap(({ code, level, message, holds }) => {
    const keys = active.filter(holds).length;
    return keys === 0 ? [] : [{ code, level, keys, message: message(keys) }];
  });
  return {
    level: LEVELS.findLast((level) => found.some((reason) => reason.level === level)) ?? 'low',
    reasons: found.map(({ code, keys, message }) => ({ code, keys, message })),
  };
}

function lastOf(rows: readonly CredentialRow[], lastUses: LastUses): LastUse {
  let last: LastUse = null;
  for (const { id } of rows) {
    const use = lastUses.of(id);
    if (use === 'unavailable') return use;
    if (use !== null && use > (last ?? 0)) last = use;
  }
  return last;
}

/**
 * Keys by module: how many, last use, and what makes them risky. Keys of a module that is not configured any more, and those without
 * one, stand at the end. Pure.
 * @param worstOpen the most severe open finding of credentials that have one
 */
export function modulesOf(
  snapshot: RegistrySnapshot,
  parts: { modules: readonly Module[]; lastUses: LastUses; nowMs: number; worstOpen: ReadonlyMap<string, Severity> },
): Modules {
  const { modules, lastUses, nowMs, worstOpen } = parts;
  const reasons = reasonsOf({ nowMs, lastUses, worstOpen, tooManyOldOf: ownersOfTooManyOldKeys(snapshot.all, nowMs) });
  const byModule = Map.groupBy(snapshot.all, ({ module }) => module);
  const listed = new Set(modules.map(({ id }) => id));
  const others = [...byModule.keys()].filter((id) => !listed.has(id)).toSorted();
  const all = [...modules, ...others.map((id) => ({ id, label: id === '' ? 'No module' : id }))];
  return {
    items: all.map(({ id, label }) => {
      const rows = byModule.get(id) ?? [];
      const active = rows.filter((row) => statusAt(row, nowMs) === 'active');
      const counts = { keys: rows.length, active: active.length };
      return { module: id, label, ...counts, ...usageOf(lastOf(rows, lastUses)), risk: riskOf(active, reasons) };
    }),
  };
}

/** Keys by environment; those without one at the end. Pure. */
export function environmentsOf(snapshot: RegistrySnapshot, parts: { lastUses: LastUses; nowMs: number }): Environments {
  const byEnvironment = Map.groupBy(snapshot.all, ({ environment }) => environment);
  return {
    items: ([...CREDENTIAL_ENVIRONMENTS, ''] as const).map((environment) => {
      const rows = byEnvironment.get(environment) ?? [];
      const active = rows.filter((row) => statusAt(row, parts.nowMs) === 'active').length;
      return { environment, keys: rows.length, active, ...usageOf(lastOf(rows, parts.lastUses)) };
    }),
  };
}
