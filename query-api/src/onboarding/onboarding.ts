import type { Onboarding, OnboardingStep, OnboardingStepId } from '../../contract/index.ts';
import { BRIEFLY, ReadTooLargeError, StoreUnavailableError } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readLastStoredMs } from '../ledger/last-stored.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { LastUses } from '../registry/last-uses.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import { readSpend, totalOf } from '../registry/spend.ts';
import type { RegistrySnapshot } from '../registry/view.ts';

export interface OnboardingParts {
  db: RegistryDatabase;
  store: ClickHouse;
  registry: { current(): Promise<RegistrySnapshot> };
  lastUses: Pick<LastUses, 'fresh' | 'of'>;
  now: () => number;
}

/** How far a new organisation is: every step is found out by looking, none is ticked off by hand. */
export async function readOnboarding(parts: OnboardingParts): Promise<Onboarding> {
  const { db, store, registry, now } = parts;
  const [signing, accounts, evidence, snapshot, lastStored] = await Promise.all([
    db.selectFrom('signing_key').select(['key_id', 'created_at']).executeTakeFirst(),
    db
      .selectFrom('directory')
      .select(['name', 'created_at'])
      .where('kind', '=', 'service_account')
      .where('archived_at', 'is', null)
      .orderBy('created_at')
      .execute(),
    db.selectFrom('evidence').select(['id', 'captured_at']).orderBy('captured_at').limit(1).executeTakeFirst(),
    registry.current(),
    unlessAway(readLastStoredMs(store, BRIEFLY)),
    parts.lastUses.fresh(),
  ]);
  const [account] = accounts;
  const names = new Set(accounts.map(({ name }) => name));
  const key = keyOf(snapshot.all, names, parts.lastUses, now());
  const calls = key === null ? 0 : await unlessAway(callsOf(store, snapshot, key));
  const isEmpty = lastStored === 'away' ? null : lastStored === null;

  const steps = [
    step('signing', signing !== undefined, { at: signing?.created_at, ref: signing?.key_id, name: signing?.key_id }),
    step('service_account', account !== undefined, {
      ...{ at: account?.created_at, ref: account?.name, name: account?.name },
    }),
    step('first_key', key !== null, { at: key?.created_at, ref: key?.id, name: key?.name }),
    step('first_event', isEmpty === null ? null : !isEmpty, {}),
    step('usage_confirmed', calls === 'away' ? null : calls > 0, { ref: key?.id, name: key?.name }),
    step('evidence_captured', evidence !== undefined, { at: evidence?.captured_at, ref: evidence?.id }),
  ];
  return {
    steps,
    is_complete: steps.every(({ state }) => state === 'done'),
    key: key && { credential_id: key.id, name: key.name, calls: calls === 'away' ? null : calls },
  };
}

/** @param isDone null: not known now */
function step(
  id: OnboardingStepId,
  isDone: boolean | null,
  fact: { at?: Date | undefined; ref?: string | undefined; name?: string | undefined },
): OnboardingStep {
  const { at, ref = '', name = '' } = fact;
  const state = isDone === null ? 'unknown' : isDone ? 'done' : 'open';
  return { id, state, at: at?.toISOString() ?? null, ref, name };
}

/** The key that the steps are about: of ours for a service account, the one that was used last, else the one that was made first. */
function keyOf(
  all: readonly CredentialRow[],
  accounts: ReadonlySet<string>,
  lastUses: Pick<LastUses, 'of'>,
  nowMs: number,
): CredentialRow | null {
  let chosen: { row: CredentialRow; usedMs: number } | null = null;
  for (const row of all) {
    if (row.kind !== 'managed' || row.owner_kind !== 'service_account' || !accounts.has(row.owner)) continue;
    if (statusAt(row, nowMs) !== 'active') continue;
    const used = lastUses.of(row.id);
    const usedMs = typeof used === 'number' ? used : 0;
    const isBefore = chosen !== null && row.created_at < chosen.row.created_at;
    if (chosen === null || usedMs > chosen.usedMs || (usedMs === chosen.usedMs && isBefore)) chosen = { row, usedMs };
  }
  return chosen?.row ?? null;
}

/** Calls that the ledger has of a key. What a collector's key ships is not its own use. */
async function callsOf(store: ClickHouse, snapshot: RegistrySnapshot, { id }: CredentialRow): Promise<number> {
  const lanes = (snapshot.secretsById.get(id) ?? []).map(({ record_key: lane }) => lane);
  return totalOf(await readSpend(store, lanes, 0)).requests;
}

/** What a read brings, or `away` where the ledger does not answer or has too much to say. */
async function unlessAway<Result>(read: Promise<Result>): Promise<Result | 'away'> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof StoreUnavailableError || error instanceof ReadTooLargeError) return 'away';
    throw error;
  }
}
