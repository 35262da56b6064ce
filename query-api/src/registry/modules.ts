import type { Environments, Mark, Module, Modules, Severity } from '../../contract/index.ts';
import { CREDENTIAL_ENVIRONMENTS } from '../../contract/index.ts';
import type { LastUses } from './last-uses.ts';
import { hasMark, isFromAnyNetwork, ownersOfTooManyOldKeys } from './marks.ts';
import type { Seen } from './marks.ts';
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
  holds: (row: CredentialRow, seen: Seen) => boolean;
}

const plural = (keys: number, one: string, many: string): string => `${keys} ${keys === 1 ? one : many}`;

/**
 * Reasons in the order of their weight. A key of full control that works from anywhere is what an attacker wants most; what is merely
 * untidy weighs little. The same facts as rule R22 counts, and findings that are open.
 */
function reasonsOf(worstOpen: ReadonlyMap<string, Severity>): RiskReason[] {
  const isAdmin = ({ scopes }: CredentialRow) => scopes.some(({ action }) => action === 'admin' || action === '*');
  const marked = (mark: Mark) => (row: CredentialRow, seen: Seen) => hasMark(row, mark, seen);
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

/** What is counted of a group of keys, key by key: one pass over all keys, whatever the groups. */
class Tally {
  readonly #reasons: readonly RiskReason[];
  readonly #keysOf: number[];
  #keys = 0;
  #active = 0;
  #lastUse: LastUse = null;

  constructor(reasons: readonly RiskReason[]) {
    this.#reasons = reasons;
    this.#keysOf = reasons.map(() => 0);
  }

  add(row: CredentialRow, seen: Seen): void {
    this.#keys++;
    const { lastUse } = seen;
    if (lastUse === 'unavailable' || this.#lastUse === 'unavailable') this.#lastUse = 'unavailable';
    else if (lastUse !== null && lastUse > (this.#lastUse ?? 0)) this.#lastUse = lastUse;
    if (statusAt(row, seen.nowMs) !== 'active') return;
    this.#active++;
    for (let index = 0; index < this.#reasons.length; index++) {
      if (this.#reasons[index]!.holds(row, seen)) this.#keysOf[index]!++;
    }
  }

  get counts() {
    return { keys: this.#keys, active: this.#active, ...usageOf(this.#lastUse) };
  }

  get risk(): Risk {
    const found = this.#reasons.flatMap(({ code, level, message }, index) => {
      const keys = this.#keysOf[index]!;
      return keys === 0 ? [] : [{ code, level, keys, message: message(keys) }];
    });
    return {
      level: LEVELS.findLast((level) => found.some((reason) => reason.level === level)) ?? 'low',
      reasons: found.map(({ code, keys, message }) => ({ code, keys, message })),
    };
  }
}

function talliesOf(
  snapshot: RegistrySnapshot,
  group: 'module' | 'environment',
  parts: { lastUses: LastUses; nowMs: number; reasons: readonly RiskReason[] },
): Map<string, Tally> {
  const { lastUses, nowMs, reasons } = parts;
  const tooManyOldOf = reasons.length === 0 ? new Set<string>() : ownersOfTooManyOldKeys(snapshot.all, nowMs);
  const tallies = new Map<string, Tally>();
  for (const row of snapshot.all) {
    let tally = tallies.get(row[group]);
    if (tally === undefined) tallies.set(row[group], (tally = new Tally(reasons)));
    tally.add(row, { lastUse: lastUses.of(row.id), nowMs, tooManyOldOf });
  }
  return tallies;
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
  const { modules, worstOpen } = parts;
  const reasons = reasonsOf(worstOpen);
  const tallies = talliesOf(snapshot, 'module', { ...parts, reasons });
  const listed = new Set(modules.map(({ id }) => id));
  const others = [...tallies.keys()].filter((id) => !listed.has(id)).toSorted();
  const all = [...modules, ...others.map((id) => ({ id, label: id === '' ? 'No module' : id }))];
  return {
    items: all.map(({ id, label }) => {
      const { counts, risk } = tallies.get(id) ?? new Tally(reasons);
      return { module: id, label, ...counts, risk };
    }),
  };
}

/** Keys by environment; those without one at the end. Pure. */
export function environmentsOf(snapshot: RegistrySnapshot, parts: { lastUses: LastUses; nowMs: number }): Environments {
  const tallies = talliesOf(snapshot, 'environment', { ...parts, reasons: [] });
  return {
    items: ([...CREDENTIAL_ENVIRONMENTS, ''] as const).map((environment) => ({
      environment,
      ...(tallies.get(environment) ?? new Tally([])).counts,
    })),
  };
}
