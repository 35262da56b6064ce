import { parseCidr } from '@lanewatch/ingest/contract';
import type { Severity } from '../../contract/index.ts';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { LastUses } from '../registry/last-uses.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { RegistryView } from '../registry/view.ts';
import { readWorstOpen } from '../registry/worst-open.ts';
import { DAY_MS, networkOf } from './rules.ts';
import type { KeyFacts, SeenNetworks } from './rules.ts';

/** What policies read. */
export interface PolicyParts {
  db: RegistryDatabase;
  store: ClickHouse;
  registry: RegistryView;
  lastUses: LastUses;
  now: () => number;
  onFault: (error: unknown) => void;
}

/** Facts about any key, as they were when they were read. */
export interface Facts {
  of(row: CredentialRow): KeyFacts;
  /** The account that answers for a key: its owner, or the owner of the service account that it is for; lower-case, '' for nobody. */
  answersFor(row: CredentialRow): string;
  /** Whether a person of this e-mail can sign in. */
  isPerson(email: string): boolean;
}

/** Reads what does not lie in the rows of keys: people, service accounts, last uses, open findings. */
export async function readFacts(parts: PolicyParts): Promise<Facts> {
  const { db, store, registry, lastUses, now, onFault } = parts;
  const snapshot = await registry.current();
  const [people, accounts, tokens, worst, refusals] = await Promise.all([
    db.selectFrom('users').select(['email', 'two_factor_enabled', 'banned']).execute(),
    db.selectFrom('directory').select(['name', 'owner']).where('kind', '=', 'service_account').execute(),
    db.selectFrom('personal_tokens').select('credential_id').execute(),
    readWorstOpen(store, db, snapshot, now()).catch((error: unknown) => {
      onFault(error);
      return null;
    }),
    readRefusals(store, now()).catch((error: unknown) => {
      onFault(error);
      return null;
    }),
    lastUses.fresh(),
  ]);
  const active = people.filter(({ banned }) => !banned);
  const emails = new Set(active.map(({ email }) => email.toLowerCase()));
  const withMfa = new Set(active.filter((one) => one.two_factor_enabled).map(({ email }) => email.toLowerCase()));
  const ownerOf = new Map(accounts.map(({ name, owner }) => [name, owner.toLowerCase()]));
  const personal = new Set(tokens.map(({ credential_id: id }) => id));
  const answersFor = (row: CredentialRow): string =>
    row.owner_kind === 'service_account' ? (ownerOf.get(row.owner) ?? '') : row.owner.toLowerCase();
  const worstOf = (id: string): Severity | null | 'unavailable' =>
    worst === null ? 'unavailable' : (worst.get(id) ?? null);
  return {
    answersFor,
    isPerson: (email) => emails.has(email),
    of: (row) => ({
      lastUse: lastUses.of(row.id),
      worstOpen: worstOf(row.id),
      ownerHasMfa: withMfa.has(answersFor(row)),
      refusals: refusals === null ? null : (refusals.get(row.id) ?? 0),
      isPersonalToken: personal.has(row.id),
    }),
  };
}

/** Requests of the last 7 days that a policy refused, or would have, by credential. */
async function readRefusals(store: ClickHouse, nowMs: number): Promise<ReadonlyMap<string, number>> {
  const scope = windowScope('7d', nowMs);
  const rows = await store.rows<{ id: string; requests: number | string }>(
    `SELECT credential_id AS id, count() AS requests FROM ${store.database}.ledger
     WHERE ${scope.where} AND startsWith(source, 'proxy/') AND hasAny(flags, ['refused_by_policy', 'would_be_refused']) AND id != ''
     GROUP BY id`,
    scope.parameters,
    BRIEFLY,
  );
  return new Map(rows.map(({ id, requests }) => [id, Number(requests)]));
}

/** Distinct addresses of a key that are looked at. Past that it is used from too many places anyway. */
const ADDRESSES_MAX = 1_000;

/**
 * Networks that keys were used from, by credential. Uses that were refused don't count: a stolen key must not bring its own network in.
 * @param keys some hundred
 */
export async function readNetworks(
  parts: Pick<PolicyParts, 'store' | 'registry' | 'now' | 'onFault'>,
  keys: readonly CredentialRow[],
  observeDays: number,
): Promise<(id: string) => SeenNetworks> {
  const { secretsById } = await parts.registry.current();
  const idOf = new Map(
    keys.flatMap(({ id }) => (secretsById.get(id) ?? []).map((secret): [string, string] => [secret.record_key, id])),
  );
  const scope = rowsSince(parts.now() - observeDays * DAY_MS);
  const networks = new Map<string, Set<string>>();
  try {
    const rows = await parts.store.rows<{ lane: string; ips: string[] }>(
      `SELECT lane, groupUniqArray(${ADDRESSES_MAX})(ip) AS ips FROM ${parts.store.database}.ledger
       WHERE lane IN {lanes:Array(String)} AND ip != '' AND outcome != 'denied' AND ${scope.where} GROUP BY lane`,
      { lanes: [...idOf.keys()], ...scope.parameters },
      BRIEFLY,
    );
    for (const { lane, ips } of rows) {
      const seen = networks.get(idOf.get(lane)!) ?? new Set<string>();
      networks.set(idOf.get(lane)!, seen);
      for (const ip of ips) {
        const parsed = parseCidr(networkOf(ip) ?? '');
        if (parsed.ok) seen.add(parsed.cidr);
      }
    }
  } catch (error) {
    parts.onFault(error);
    return () => 'unavailable';
  }
  return (id) => [...(networks.get(id) ?? [])].sort();
}
