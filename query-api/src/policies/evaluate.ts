import { setImmediate } from 'node:timers/promises';
import type { PolicyId, PolicyMode } from '../../contract/index.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { Facts } from './facts.ts';
import { covers, whyBroken } from './rules.ts';
import type { PolicySet, Setting } from './settings.ts';

/** Keys that are looked at before others get their turn. */
const KEYS_PER_TURN = 2_000;

/** A covered key as a policy sees it; `why` is null where it keeps the policy. */
export interface Judged {
  row: CredentialRow;
  setting: Setting;
  why: string | null;
}

/** What a policy that is in one of some modes for a key says of it; null when it does not cover it there. Pure. */
export function judge(
  id: PolicyId,
  row: CredentialRow,
  known: { set: PolicySet; facts: Facts; nowMs: number; modes: readonly PolicyMode[] },
): Judged | null {
  const { set, facts, nowMs, modes } = known;
  const setting = set.of(id, row.project);
  if (!modes.includes(setting.mode)) return null;
  const factsOfKey = facts.of(row);
  if (!covers(id, row, factsOfKey, nowMs)) return null;
  return { row, setting, why: whyBroken(id, setting.settings, row, factsOfKey, nowMs) };
}

/** Goes through keys one by one and lets other work in between: a hundred thousand at once would hold up every request. */
export async function* inTurns(rows: Iterable<CredentialRow>): AsyncGenerator<CredentialRow> {
  let count = 0;
  for (const row of rows) {
    if (++count % KEYS_PER_TURN === 0) await setImmediate();
    yield row;
  }
}
