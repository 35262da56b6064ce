import { compileCidrs, compileScopes, mayShipEvents } from '@lanewatch/ingest/contract';
import type { AskedAction } from '@lanewatch/ingest/contract';
import type { Impact } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { CALLERS_MAX, readCallers, readShipping } from './callers.ts';
import type { Caller } from './callers.ts';
import type { CredentialRow } from './record.ts';
import { lanesOf } from './revoke.ts';
import type { SecretRow } from './secrets.ts';

/** Callers seen this lately count as ones that will come again. */
const IMPACT_WINDOW_MS = 7 * 86_400_000;
/** Callers listed; the counts are of all that were read. */
const LISTED_MAX = 200;

type Reason = Impact['items'][number]['reasons'][number];
type Hit = Pick<Impact['items'][number], 'effect' | 'reasons'>;
/** What a change means for one caller. */
export type HitOf = (caller: Omit<Caller, 'lane'>) => Hit;

const NOT_HIT: Hit = { effect: 'none', reasons: [] };

/** Use of a provider's key goes on whatever is said here: it will be noticed, and nothing stops it. */
const effectOn = ({ kind }: CredentialRow): 'fails' | 'finding' => (kind === 'managed' ? 'fails' : 'finding');

/** What an edit means: only what was right before and is not after it. Pure. */
export function hitByEdit(before: CredentialRow, after: CredentialRow, nowMs: number): HitOf {
  const addresses = [compileCidrs(before.allowed_cidrs), compileCidrs(after.allowed_cidrs)] as const;
  const scopes = [compileScopes(before.scopes), compileScopes(after.scopes)] as const;
  const hard = effectOn(after);
  const endsMs = after.expires_at?.getTime() ?? Infinity;
  const endsSooner = endsMs < (before.expires_at?.getTime() ?? Infinity) && endsMs < nowMs + IMPACT_WINDOW_MS;
  return (caller) => {
    const reasons: (Reason & { effect: Hit['effect'] })[] = [];
    const { ip, environment, agent, repo } = caller;
    if (ip !== '' && addresses[0](ip) && !addresses[1](ip)) {
      reasons.push({ code: 'address', message: `${ip} is in none of the allowed networks`, effect: hard });
    }
    if (crosses(after.environment, environment) && !crosses(before.environment, environment)) {
      const message = `it says it runs in ${environment}, the key is for ${after.environment}`;
      reasons.push({ code: 'environment', message, effect: hard });
    }
    if (isUnexpected(after.expected_agents, agent) && !isUnexpected(before.expected_agents, agent)) {
      reasons.push({ code: 'agent', message: `${agent} is not an expected agent`, effect: 'finding' });
    }
    if (isUnexpected(after.expected_repos, repo) && !isUnexpected(before.expected_repos, repo)) {
      reasons.push({ code: 'repo', message: `${repo} is not an expected repository`, effect: 'finding' });
    }
    const asked = askedIn(caller.operation);
    const isRefusedNow =
      (ip !== '' && !addresses[0](ip)) ||
      crosses(before.environment, environment) ||
      (asked !== null && !scopes[0](...asked));
    if (asked !== null && scopes[0](...asked) && !scopes[1](...asked)) {
      reasons.push({ code: 'scope', message: `no scope allows ${caller.operation}`, effect: 'fails' });
    }
    if (endsSooner) {
      reasons.push({ code: 'expired', message: `it ends at ${new Date(endsMs).toISOString()}`, effect: hard });
    }
    // What is refused already does not start to fail.
    const told = isRefusedNow ? reasons.filter((reason) => reason.effect !== 'fails') : reasons;
    if (told.length === 0) return NOT_HIT;
    const effect = told.some((reason) => reason.effect === 'fails') ? 'fails' : 'finding';
    return { effect, reasons: told.map(({ code, message }) => ({ code, message })) };
  };
}

const crosses = (own: string, environment: string): boolean => own !== '' && environment !== '' && own !== environment;
const isUnexpected = (expected: readonly string[], value: string): boolean =>
  expected.length > 0 && value !== '' && !expected.includes(value);

/** Action and resource in the operation of an event that verify wrote; null for any other. */
function askedIn(operation: string): [AskedAction, string] | null {
  const [action, resource] = operation.split(' ');
  return resource === undefined ? null : [action as AskedAction, resource];
}

/** What ending the key, or its present secret, means: everybody who uses it. Pure. */
export function hitByEnd(row: CredentialRow, act: 'revoke' | 'rotate' | 'regenerate'): HitOf {
  const effect = effectOn(row);
  const reason: Reason =
    act === 'revoke'
      ? { code: 'revoked', message: effect === 'fails' ? 'it is refused at once' : 'it counts as revoked at once' }
      : {
          code: 'old_secret',
          message: act === 'rotate' ? 'the old secret ends with its grace' : 'the old secret ends at once',
        };
  return () => ({ effect, reasons: [reason] });
}

/** One of each, whichever of the key's secrets they used. */
function mergedCallers(callers: readonly Caller[]): Omit<Caller, 'lane'>[] {
  const merged = new Map<string, Omit<Caller, 'lane'>>();
  for (const { lane: _lane, calls, lastMs, ...named } of callers) {
    const key = JSON.stringify(Object.values(named));
    const same = merged.get(key);
    merged.set(key, { ...named, calls: calls + (same?.calls ?? 0), lastMs: Math.max(lastMs, same?.lastMs ?? 0) });
  }
  return [...merged.values()];
}

/**
 * Who of those seen in the last 7 days a change would hit. A ledger that does not answer leaves it open.
 * @param lanes those whose callers it concerns; default all of the credential's
 */
export async function readImpact(
  parts: { store: ClickHouse; nowMs: number; onFault: (error: unknown) => void },
  key: { row: CredentialRow; secrets: readonly SecretRow[]; lanes?: readonly string[] },
  hitOf: HitOf,
  findingsResolved = 0,
): Promise<Impact> {
  const { store, nowMs, onFault } = parts;
  const { row, secrets, lanes = lanesOf(row, secrets) } = key;
  const fromMs = nowMs - IMPACT_WINDOW_MS;
  const impact: Impact = {
    from: new Date(fromMs).toISOString(),
    to: new Date(nowMs).toISOString(),
    ledger: 'available',
    ...{ callers: 0, calls: 0, callers_failing: 0, calls_failing: 0 },
    findings_resolved: findingsResolved,
    items: [],
    truncated: false,
  };
  let callers: Omit<Caller, 'lane'>[];
  let read: number;
  try {
    const [using, shipping] = await Promise.all([
      readCallers(store, lanes, fromMs),
      mayShipEvents(row) ? readShipping(store, row.id, fromMs) : null,
    ]);
    read = using.length;
    callers = mergedCallers(shipping === null ? using : [shipping, ...using]);
  } catch (error) {
    onFault(error);
    return { ...impact, ledger: 'unavailable' };
  }
  for (const caller of callers) {
    const hit = hitOf(caller);
    impact.callers++;
    impact.calls += caller.calls;
    if (hit.effect === 'fails') {
      impact.callers_failing++;
      impact.calls_failing += caller.calls;
    }
    const { lastMs, ...named } = caller;
    impact.items.push({ ...named, last_seen: new Date(lastMs).toISOString(), ...hit });
  }
  const rank = { fails: 0, finding: 1, none: 2 } as const;
  impact.items.sort((one, other) => rank[one.effect] - rank[other.effect] || other.calls - one.calls);
  impact.truncated = impact.items.length > LISTED_MAX || read >= CALLERS_MAX;
  impact.items = impact.items.slice(0, LISTED_MAX);
  return impact;
}
